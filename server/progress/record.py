"""Recording a grade, and reading the progress of one student."""

from __future__ import annotations

from collections.abc import Iterable

from sqlmodel import Session, col, func, select

from grader.compare import Comparison, Verdict
from server.progress.queries import COUNT_ROWS
from server.tables import CourseRow, ProgressRow, SubmissionRow

PASSING = tuple(verdict.value for verdict in Verdict if verdict.passed)


def record(session: Session, submission: SubmissionRow, rows: Iterable[Comparison]) -> None:
    """Count the rows of a submission's first grade. A checkpoint that was not handed in is no attempt."""
    handed_in_at = submission.created_at
    whose = {"course_id": submission.course_id, "account_id": submission.account_id, "exercise": submission.exercise}
    entries = [
        {
            **whose,
            "checkpoint": row.name,
            "best": row.verdict.value,
            "attempts": 1,
            "first_exact_at": handed_in_at if row.verdict is Verdict.EXACT else None,
            "first_passed_at": handed_in_at if row.passed else None,
            "first_inherited_at": handed_in_at if row.inherits_credit else None,
        }
        for row in rows
        if row.verdict is not Verdict.MISSING
    ]
    if entries:
        COUNT_ROWS.insert(session, entries)


def of_student(session: Session, course: CourseRow, account_id: int, exercise: str) -> dict[str, ProgressRow]:
    """Return a student's progress in an exercise, by checkpoint."""
    rows = select(ProgressRow).where(
        ProgressRow.course_id == course.id, ProgressRow.account_id == account_id, ProgressRow.exercise == exercise
    )
    return {row.checkpoint: row for row in session.exec(rows)}


def passed_counts(session: Session, course: CourseRow, account_id: int) -> dict[str, tuple[int, int]]:
    """Return how many checkpoints a student passed, and how many of these are exact, by exercise."""
    exact = func.count().filter(col(ProgressRow.best) == Verdict.EXACT.value)
    counts = (
        select(ProgressRow.exercise, func.count(), exact)
        .where(
            ProgressRow.course_id == course.id,
            ProgressRow.account_id == account_id,
            col(ProgressRow.best).in_(PASSING),
        )
        .group_by(ProgressRow.exercise)
    )
    return {exercise: (passed, exact) for exercise, passed, exact in session.exec(counts)}
