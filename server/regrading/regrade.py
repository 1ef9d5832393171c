"""Which submissions are graded again, and what it changed.

A grade belongs to a submission, a revision of its exercise and an environment; the environment names torch, the kernels
and the version of the grader. So there is reason to grade again exactly where no grade of today's revision and
environment exists. Nothing can be forced: the same three would give the same rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import Any

from sqlalchemy import CTE, Select, Text, and_, cast, union
from sqlalchemy import select as core_select
from sqlalchemy.orm import aliased, defer
from sqlmodel import Session, col, func, or_, select

from exercises.exercise import Exercise
from grader import numerics
from server.queue.queries import BACKGROUND_RANK
from server.regrading.schemas import DifferenceBody, RegradeBody, RowChangeBody
from server.tables import AnswerKind, ComparisonRow, CourseRow, GradeRow, SubmissionRow, TicketRow

REPORTED_MAX = 1000
NO_ROW = "(none)"


def find_outdated(session: Session, course: CourseRow, exercises: Sequence[Exercise]) -> list[SubmissionRow]:
    """Return the submissions of a course without a grade of today, the oldest first.

    Tensors were derived on the numbers of their own revision, so those of an older one keep their grade. What waits
    already is left out.
    """
    outdated: list[SubmissionRow] = []
    for exercise in exercises:
        grade_of_today = select(GradeRow.id).where(
            GradeRow.submission_id == SubmissionRow.id,
            GradeRow.revision == exercise.revision,
            GradeRow.environment == numerics.environment(),
        )
        ticket = select(TicketRow.id).where(TicketRow.submission_id == SubmissionRow.id)
        submissions = select(SubmissionRow).where(
            SubmissionRow.course_id == course.id,
            SubmissionRow.exercise == exercise.slug,
            or_(SubmissionRow.kind == AnswerKind.CODE, SubmissionRow.revision == exercise.revision),
            ~grade_of_today.exists(),
            ~ticket.exists(),
        )
        outdated += session.exec(submissions.options(defer(SubmissionRow.body)))  # type: ignore[arg-type]
    return sorted(outdated, key=lambda submission: submission.id)


def report(session: Session, course: CourseRow) -> RegradeBody:
    """Return how far a regrade is, and each submission whose newest grade differs from the one before."""
    of_course = select(SubmissionRow.id).where(SubmissionRow.course_id == course.id)
    waiting = select(func.count()).where(
        col(TicketRow.rank) >= BACKGROUND_RANK, col(TicketRow.submission_id).in_(of_course)
    )
    newest = (
        select(GradeRow.submission_id, func.max(GradeRow.id).label("id"))
        .where(col(GradeRow.submission_id).in_(of_course))
        .group_by(col(GradeRow.submission_id))
        .having(func.count() > 1)
        .subquery()
    )
    before = (
        select(func.max(GradeRow.id))
        .where(GradeRow.submission_id == newest.c.submission_id, col(GradeRow.id) < newest.c.id)
        .correlate(newest)
        .scalar_subquery()
    )
    pairs = select(newest.c.submission_id, newest.c.id.label("new"), before.label("old")).cte("pairs")
    differing = union(_with_own_row(pairs, "new", "old"), _with_own_row(pairs, "old", "new")).order_by("submission_id")
    differences = (_difference(session, *pair) for pair in session.connection().execute(differing))
    return RegradeBody(
        waiting=session.exec(waiting).one(),
        regraded=session.exec(select(func.count()).select_from(newest)).one(),
        changed=list(islice(filter(None, differences), REPORTED_MAX)),
    )


def _with_own_row(pairs: CTE, which: str, other: str) -> Select[Any]:
    """Select the pairs in which one grade has a row that the other has not.

    The database compares them, texts of diagnoses included: of thousands, few differ.
    """
    mine, theirs = aliased(ComparisonRow), aliased(ComparisonRow)
    same_place = and_(col(theirs.grade_id) == pairs.c[other], col(theirs.position) == mine.position)
    joined = core_select(pairs).join(mine, col(mine.grade_id) == pairs.c[which]).outerjoin(theirs, same_place)
    return joined.where(
        or_(
            col(theirs.name).is_distinct_from(mine.name),
            col(theirs.verdict) != mine.verdict,
            col(theirs.origin).is_distinct_from(mine.origin),
            cast(theirs.diagnosis, Text) != cast(mine.diagnosis, Text),
        )
    )


def _difference(session: Session, submission_id: int, newest: int, before: int) -> DifferenceBody | None:
    new, old = _rows(session, newest), _rows(session, before)
    changes = [
        RowChangeBody(name=name, before=old.get(name, NO_ROW), after=new.get(name, NO_ROW))
        for name in old | new
        if old.get(name) != new.get(name)
    ]
    if not changes:
        return None
    submission = session.exec(
        select(SubmissionRow).where(SubmissionRow.id == submission_id).options(defer(SubmissionRow.body))  # type: ignore[arg-type]
    ).one()
    return DifferenceBody(
        submission=submission.id,
        student=submission.account_id,
        exercise=submission.exercise,
        before=session.get_one(GradeRow, before).passed,
        after=session.get_one(GradeRow, newest).passed,
        rows=changes,
    )


def _rows(session: Session, grade_id: int) -> dict[str, str]:
    """Return verdict, origin and codes of diagnosis in one line, by checkpoint."""
    rows = session.exec(
        select(ComparisonRow).where(ComparisonRow.grade_id == grade_id).order_by(col(ComparisonRow.position))
    )
    return {
        row.name: " ".join(filter(None, [row.verdict, row.origin, *(each["code"] for each in row.diagnosis)]))
        for row in rows
    }
