"""Progress after a regrade: worked out anew from the newest grade of each submission."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, and_, case, select
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, delete, func, insert

from grader.compare import Origin, Verdict
from server.progress.queries import RANKS
from server.progress.record import PASSING
from server.tables import ComparisonRow, GradeRow, ProgressRow, SubmissionRow


@dataclass(frozen=True)
class Place:
    """The exercise of a course in which progress is counted."""

    course_id: int
    exercise: str


def recount(session: Session, submission: SubmissionRow) -> None:
    """Work out anew the progress of a submission's student in its exercise."""
    recount_students(session, Place(submission.course_id, submission.exercise), [submission.account_id])


def recount_students(session: Session, place: Place, account_ids: Collection[int]) -> None:
    """Work out anew the progress of students in an exercise. Two statements, however many students.

    A regrade is no attempt, and it may take away what an earlier grade gave by mistake.
    """
    session.flush()
    session.exec(
        delete(ProgressRow).where(
            col(ProgressRow.course_id) == place.course_id,
            col(ProgressRow.exercise) == place.exercise,
            col(ProgressRow.account_id).in_(account_ids),
        )
    )
    counted = _counted(place, account_ids)
    session.connection().execute(insert(ProgressRow).from_select(list(counted.selected_columns.keys()), counted))


def _counted(place: Place, account_ids: Collection[int]) -> Select[Any]:
    """Select the rows of progress, from the newest grade that counts of each submission."""
    verdict, handed_in_at = col(ComparisonRow.verdict), col(SubmissionRow.created_at)
    best_rank = func.min(case(RANKS, value=verdict))
    first = func.min(handed_in_at)
    inherits_credit = and_(col(ComparisonRow.origin) == Origin.INHERITED.value, ~col(ComparisonRow.inherits_constant))
    key: tuple[Any, ...] = (
        col(SubmissionRow.course_id),
        col(SubmissionRow.account_id),
        col(SubmissionRow.exercise),
        col(ComparisonRow.name).label("checkpoint"),
    )
    later = aliased(GradeRow)
    is_newest = ~(
        select(col(later.id))
        .where(col(later.submission_id) == GradeRow.submission_id, col(later.id) > GradeRow.id, col(later.counts))
        .exists()
    )
    return (
        select(
            *key,
            case({each.rank: each.value for each in Verdict}, value=best_rank).label("best"),
            func.count().label("attempts"),
            first.filter(verdict == Verdict.EXACT.value).label("first_exact_at"),
            first.filter(verdict.in_(PASSING)).label("first_passed_at"),
            first.filter(inherits_credit).label("first_inherited_at"),
        )
        .select_from(SubmissionRow)
        .join(GradeRow, col(GradeRow.submission_id) == SubmissionRow.id)
        .join(ComparisonRow, col(ComparisonRow.grade_id) == GradeRow.id)
        .where(
            col(SubmissionRow.course_id) == place.course_id,
            col(SubmissionRow.exercise) == place.exercise,
            col(SubmissionRow.account_id).in_(account_ids),
            verdict != Verdict.MISSING.value,
            col(GradeRow.counts),
            is_newest,
        )
        .group_by(*key)
    )
