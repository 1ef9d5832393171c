"""Regrading: old submissions graded again by what has changed since, and what that made of them.

A grade belongs to a submission, a revision of its exercise and an environment, and the environment names torch, the
kernels and the version of the grader. So there is a reason to grade again exactly where there is no grade of today's
revision and environment, and nothing to force: the same three would give the same rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import Any

from sqlalchemy import CTE, Select, Text, and_, cast, union
from sqlalchemy import select as core_select
from sqlalchemy.orm import aliased, defer
from sqlmodel import Session, col, delete, func, or_, select

from exercises.catalog import CATALOG
from exercises.exercise import Exercise
from grader import numerics
from grader.compare import Verdict
from server import schemas
from server.dispatch.tickets import BACKGROUND
from server.models import AnswerKind, ComparisonRow, Course, Grade, Progress, Submission, Ticket

MOST_REPORTED = 1000


def outdated(session: Session, course: Course, exercises: Sequence[Exercise]) -> list[Submission]:
    """The submissions of a course without a grade of today, oldest first. Tensors were derived on the numbers of
    their own revision, so those of an older one stay as they are; what waits already is left out."""
    found: list[Submission] = []
    for exercise in exercises:
        today = select(Grade.id).where(
            Grade.submission_id == Submission.id,
            Grade.revision == exercise.revision,
            Grade.environment == numerics.environment(),
        )
        waiting = select(Ticket.id).where(Ticket.submission_id == Submission.id)
        wanted = select(Submission).where(
            Submission.course_id == course.id,
            Submission.exercise == exercise.slug,
            or_(Submission.kind == AnswerKind.CODE, Submission.revision == exercise.revision),
            ~today.exists(),
            ~waiting.exists(),
        )
        found += session.exec(wanted.options(defer(Submission.body)))  # type: ignore[arg-type]
    return sorted(found, key=lambda submission: submission.id)


def report(session: Session, course: Course) -> schemas.Regrade:
    """How far it is, and each submission whose newest grade differs from the one before."""
    mine = select(Submission.id).where(Submission.course_id == course.id)
    waiting = select(func.count()).where(col(Ticket.rank) >= BACKGROUND, col(Ticket.submission_id).in_(mine))
    newest = (
        select(Grade.submission_id, func.max(Grade.id).label("id"))
        .where(col(Grade.submission_id).in_(mine))
        .group_by(col(Grade.submission_id))
        .having(func.count() > 1)
        .subquery()
    )
    before = (
        select(func.max(Grade.id))
        .where(Grade.submission_id == newest.c.submission_id, col(Grade.id) < newest.c.id)
        .correlate(newest)
        .scalar_subquery()
    )
    pairs = select(newest.c.submission_id, newest.c.id.label("new"), before.label("old")).cte("pairs")
    differing = union(_having_more(pairs, "new", "old"), _having_more(pairs, "old", "new")).order_by("submission_id")
    changed = (_difference(session, *pair) for pair in session.connection().execute(differing))
    return schemas.Regrade(
        waiting=session.exec(waiting).one(),
        regraded=session.exec(select(func.count()).select_from(newest)).one(),
        changed=list(islice(filter(None, changed), MOST_REPORTED)),
    )


def _having_more(pairs: CTE, which: str, than: str) -> Select[Any]:
    """Those pairs of which one grade has a row that the other has not, the texts of its diagnosis included. Said by the
    database: thousands are alike, and few are not."""
    mine, other = aliased(ComparisonRow), aliased(ComparisonRow)
    place = and_(col(other.grade_id) == pairs.c[than], col(other.position) == mine.position)
    joined = core_select(pairs).join(mine, col(mine.grade_id) == pairs.c[which]).outerjoin(other, place)
    return joined.where(
        or_(
            col(other.name).is_distinct_from(mine.name),
            col(other.verdict) != mine.verdict,
            col(other.origin).is_distinct_from(mine.origin),
            cast(other.diagnosis, Text) != cast(mine.diagnosis, Text),
        )
    )


def follow(session: Session, submission: Submission, grade: Grade) -> None:
    """Bring a student's progress up to date with a further grade of a submission: where it says what the one before
    said, nothing follows, and that is so for most of a regrade."""
    before = select(func.max(Grade.id)).where(Grade.submission_id == submission.id, col(Grade.id) < grade.id)
    new, old = (
        session.exec(
            select(ComparisonRow.name, ComparisonRow.verdict, ComparisonRow.approximate).where(
                col(ComparisonRow.grade_id) == each
            )
        ).all()
        for each in (grade.id, before.scalar_subquery())
    )
    if sorted(new) != sorted(old):
        recount(session, submission)


def recount(session: Session, submission: Submission) -> None:
    """Work out a student's progress in an exercise from the newest grade of each submission. A regrade is no attempt,
    and it may take away what was given by mistake."""
    mine = (
        Submission.course_id == submission.course_id,
        Submission.student_id == submission.student_id,
        Submission.exercise == submission.exercise,
    )
    session.flush()
    session.exec(
        delete(Progress).where(
            col(Progress.course_id) == submission.course_id,
            col(Progress.student_id) == submission.student_id,
            col(Progress.exercise) == submission.exercise,
        )
    )
    later = aliased(Grade)
    rows = session.exec(
        select(ComparisonRow, Submission.created_at)
        .join(Grade, col(Grade.id) == ComparisonRow.grade_id)
        .join(Submission, col(Submission.id) == Grade.submission_id)
        .where(
            *mine,
            ComparisonRow.verdict != Verdict.MISSING.value,
            ~select(later.id).where(later.submission_id == Grade.submission_id, later.id > Grade.id).exists(),
        )
        .order_by(col(Submission.id))
    )
    counted: dict[str, Progress] = {}
    for row, moment in rows:
        entry = counted.get(row.name)
        if entry is None:
            entry = counted[row.name] = Progress(
                course_id=submission.course_id,
                student_id=submission.student_id,
                exercise=submission.exercise,
                checkpoint=row.name,
                best=row.verdict,
                attempts=0,
            )
        entry.attempts += 1
        entry.best = min(entry.best, row.verdict, key=lambda verdict: Verdict(verdict).rank)
        if row.approximate and entry.first_passed_at is None:
            entry.first_passed_at = moment
    session.add_all(counted.values())


def chosen(exercise: Exercise | None) -> list[Exercise]:
    """One exercise, or all of them."""
    return list(CATALOG.values()) if exercise is None else [exercise]


def _difference(session: Session, submission_id: int, newest: int, before: int) -> schemas.Difference | None:
    new, old = _rows(session, newest), _rows(session, before)
    changes = [
        schemas.RowChange(name=name, before=old.get(name, "(none)"), after=new.get(name, "(none)"))
        for name in old | new
        if old.get(name) != new.get(name)
    ]
    if not changes:
        return None
    submission = session.exec(
        select(Submission).where(Submission.id == submission_id).options(defer(Submission.body))  # type: ignore[arg-type]
    ).one()
    return schemas.Difference(
        submission=submission.id,
        student=submission.student_id,
        exercise=submission.exercise,
        before=session.get_one(Grade, before).passed,
        after=session.get_one(Grade, newest).passed,
        rows=changes,
    )


def _rows(session: Session, grade_id: int) -> dict[str, str]:
    """Checkpoint → verdict, origin and codes of diagnosis in one line."""
    rows = session.exec(
        select(ComparisonRow).where(ComparisonRow.grade_id == grade_id).order_by(col(ComparisonRow.position))
    )
    return {
        row.name: " ".join(filter(None, [row.verdict, row.origin, *(each["code"] for each in row.diagnosis)]))
        for row in rows
    }
