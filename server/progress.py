"""Progress: the best of every student at every checkpoint, kept up to date with every grade."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

from sqlalchemy import case, literal_column
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col, func, select

from grader.compare import Comparison, Verdict
from server.models import Course, Progress, Submission, Table

# Verdict → rank, as literals of the statement: parameters would be sent with each row.
RANKS: dict[Any, Any] = {literal_column(f"'{verdict.value}'"): literal_column(str(verdict.rank)) for verdict in Verdict}
PASSED = tuple(verdict.value for verdict in Verdict if verdict.passed)


def record(session: Session, submission: Submission, rows: Iterable[Comparison]) -> None:
    """Count a grade, in one statement. A checkpoint that was not handed in was not attempted."""
    entries = [
        {
            "course_id": submission.course_id,
            "student_id": submission.student_id,
            "exercise": submission.exercise,
            "checkpoint": row.name,
            "best": row.verdict.value,
            "attempts": 1,
            "first_passed_at": submission.created_at if row.passed else None,
        }
        for row in rows
        if row.verdict is not Verdict.MISSING
    ]
    if entries:
        session.connection().execute(_upsert(session.get_bind().dialect.name), entries)


@cache
def _upsert(dialect: str) -> sqlite.Insert | postgresql.Insert:
    """Insert what is new; else count, and keep the better verdict and the earlier moment."""
    table = Table.metadata.tables["progress"]
    statement: sqlite.Insert | postgresql.Insert
    statement = sqlite.insert(table) if dialect == "sqlite" else postgresql.insert(table)
    old, new = table.c, statement.excluded
    better = case(RANKS, value=new.best) < case(RANKS, value=old.best)
    return statement.on_conflict_do_update(
        index_elements=list(table.primary_key),
        set_={
            "best": case((better, new.best), else_=old.best),
            "attempts": old.attempts + new.attempts,
            "first_passed_at": func.coalesce(old.first_passed_at, new.first_passed_at),
        },
    )


def of_student(session: Session, course: Course, student_id: int, exercise: str) -> dict[str, Progress]:
    """Checkpoint → a student's progress in an exercise."""
    wanted = select(Progress).where(
        Progress.course_id == course.id, Progress.student_id == student_id, Progress.exercise == exercise
    )
    return {each.checkpoint: each for each in session.exec(wanted)}


def passed_counts(session: Session, course: Course, student_id: int) -> dict[str, tuple[int, int]]:
    """Exercise → how many checkpoints a student has right, and how many exact."""
    exact = func.count().filter(col(Progress.best) == Verdict.EXACT.value)
    mine = (Progress.course_id == course.id, Progress.student_id == student_id)
    counts = (
        select(Progress.exercise, func.count(), exact)
        .where(*mine, col(Progress.best).in_(PASSED))
        .group_by(Progress.exercise)
    )
    return {exercise: (passed, exact) for exercise, passed, exact in session.exec(counts)}
