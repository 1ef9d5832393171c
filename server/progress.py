"""Progress: the best of every student at every checkpoint, kept up to date and shown as a matrix."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from pydantic_core import to_json
from sqlalchemy import case, literal_column
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col, func, select

from exercises.exercise import Exercise
from grader.compare import Comparison, Verdict
from server.models import Course, Enrolment, Progress, Role, Student, Submission, Table

# The verdicts stand from best to worst. Written into the statement: as parameters they would be sent with each row.
RANKS: dict[Any, Any] = {
    literal_column(f"'{verdict.value}'"): literal_column(str(rank)) for rank, verdict in enumerate(Verdict)
}
PASSED = (Verdict.EXACT.value, Verdict.APPROXIMATE.value)


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


Cell = tuple[str, int, datetime | None]


@dataclass(frozen=True)
class Matrix:
    """Students by checkpoints. ``columns`` are (exercise, checkpoint); each row is a student's id, their
    name, and for each column (best verdict, attempts, first passed at), or None where nothing was handed
    in."""

    course: str
    columns: list[tuple[str, str]]
    rows: list[tuple[int, str, list[Cell | None]]]

    def as_json(self) -> bytes:
        """The matrix as ``schemas.Progress`` describes it. Written without its models: a class has 26,000
        cells."""
        rows = [
            {
                "student": {"id": id, "name": name},
                "cells": [
                    cell and {"best": cell[0], "attempts": cell[1], "first_passed_at": cell[2]} for cell in cells
                ],
            }
            for id, name, cells in self.rows
        ]
        columns = [{"exercise": exercise, "checkpoint": checkpoint} for exercise, checkpoint in self.columns]
        return to_json({"course": self.course, "columns": columns, "rows": rows})

    def as_csv(self) -> str:
        """One line for each student and checkpoint handed in."""
        text = io.StringIO()
        lines = csv.writer(text)
        lines.writerow(
            [
                "student_id",
                "student",
                "exercise",
                "checkpoint",
                "best",
                "exact",
                "attempts",
                "first_passed_at",
            ]
        )
        for id, name, cells in self.rows:
            for (exercise, checkpoint), cell in zip(self.columns, cells, strict=True):
                if cell is not None:
                    best, attempts, passed_at = cell
                    exact = str(best == Verdict.EXACT.value).lower()
                    moment = passed_at.isoformat() if passed_at else ""
                    lines.writerow([id, _inert(name), exercise, checkpoint, best, exact, attempts, moment])
        return text.getvalue()


def matrix(session: Session, course: Course, exercises: Iterable[Exercise], student_id: int | None = None) -> Matrix:
    """The students of a course, or one account of it, by name. Two queries, whatever the size."""
    columns = [(exercise.slug, each.name) for exercise in exercises for each in exercise.checkpoints]
    places = {column: place for place, column in enumerate(columns)}
    empty: list[Cell | None] = [None] * len(columns)
    students = select(Student.id, Student.name).join(Enrolment)
    students = students.where(Enrolment.course_id == course.id).order_by(Student.name, col(Student.id))
    cells = select(  # type: ignore[call-overload]
        Progress.student_id,
        Progress.exercise,
        Progress.checkpoint,
        Progress.best,
        Progress.attempts,
        Progress.first_passed_at,
    ).where(Progress.course_id == course.id)
    if student_id is None:
        students = students.where(Enrolment.role == Role.STUDENT)
    else:
        students = students.where(Student.id == student_id)
        cells = cells.where(Progress.student_id == student_id)
    found = [(id, name, empty.copy()) for id, name in session.exec(students)]
    by_id = {id: row for id, _, row in found}
    for id, exercise, checkpoint, *cell in session.exec(cells):
        place = places.get((exercise, checkpoint))
        if id in by_id and place is not None:
            by_id[id][place] = tuple(cell)
    return Matrix(course.slug, columns, found)


def _inert(text: str) -> str:
    """Text that a spreadsheet shows instead of computing it."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
