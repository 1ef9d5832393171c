"""The matrix: the students of a course by checkpoints, as JSON and as CSV.

A class of a thousand has 26,000 cells. So the database writes them, as the JSON that is sent, in one text for each
student and exercise; here they are only put in their places. The number of queries does not depend on the size.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from sqlalchemy import ColumnElement, Select, String, cast, func, select, type_coerce
from sqlmodel import Session, col

from exercises.exercise import Exercise
from grader.compare import Verdict
from server.models import Course, Enrolment, Progress, Role, Student

CSV_HEADER: Final = ("student_id", "student", "exercise", "checkpoint", "best", "exact", "attempts", "first_passed_at")
# Between the cells of a student, and between the names of their checkpoints. Nothing in either has one.
BETWEEN: Final = ";"


@dataclass(frozen=True)
class Matrix:
    """``columns`` are (exercise, checkpoint); each row is a student's id, their name, and for each column the cell as
    JSON (best verdict, attempts, first passed at), or ``null`` where nothing was handed in."""

    course: str
    columns: list[tuple[str, str]]
    rows: list[tuple[int, str, list[str]]]

    def as_json(self) -> str:
        """As ``schemas.Progress`` describes it."""
        columns = [{"exercise": exercise, "checkpoint": checkpoint} for exercise, checkpoint in self.columns]
        head = f'"course":{json.dumps(self.course)},"columns":{json.dumps(columns)}'
        rows = [
            f'{{"student":{{"id":{id},"name":{json.dumps(name)}}},"cells":[{",".join(cells)}]}}'
            for id, name, cells in self.rows
        ]
        return f'{{{head},"rows":[{",".join(rows)}]}}'

    def as_csv(self) -> str:
        """One line for each student and checkpoint handed in."""
        text = io.StringIO()
        lines = csv.writer(text)
        lines.writerow(CSV_HEADER)
        for id, name, cells in self.rows:
            shown = _inert(name)
            for column, cell in zip(self.columns, map(json.loads, cells), strict=True):
                if cell is not None:
                    exact = "true" if cell["best"] == Verdict.EXACT.value else "false"
                    moment = cell["first_passed_at"] or ""
                    lines.writerow((id, shown, *column, cell["best"], exact, cell["attempts"], moment))
        return text.getvalue()


def read_matrix(
    session: Session, course: Course, exercises: Iterable[Exercise], student_id: int | None = None
) -> Matrix:
    """The students of a course, or one account of it, by name. Two queries."""
    asked = list(exercises)
    columns = [(exercise.slug, tuple(each.name for each in exercise.checkpoints)) for exercise in asked]
    read = session.connection().execute
    written = {
        (student, exercise): texts
        for student, exercise, *texts in read(_cells(session.get_bind().dialect.name, course, asked, student_id))
    }
    rows = [
        (id, name, [cell for slug, names in columns for cell in _placed(names, *written.get((id, slug), ("", "")))])
        for id, name in read(_students(course, student_id))
    ]
    return Matrix(course.slug, [(slug, name) for slug, names in columns for name in names], rows)


def _placed(checkpoints: tuple[str, ...], names: str, cells: str) -> list[str]:
    """The cells of one student and exercise, which stand in the order of these names, in that of the checkpoints."""
    found = [*cells.split(BETWEEN), "null"]
    return [found[place] for place in _places(checkpoints, names)]


@lru_cache(maxsize=1024)
def _places(checkpoints: tuple[str, ...], names: str) -> list[int]:
    """Where each checkpoint is among the names, or the last place. Most of a class have handed in the same ones."""
    at = {name: place for place, name in enumerate(names.split(BETWEEN))}
    return [at.get(name, -1) for name in checkpoints]


def _students(course: Course, student_id: int | None) -> Select[int, str]:
    who = col(Enrolment.role) == Role.STUDENT if student_id is None else col(Student.id) == student_id
    students = select(col(Student.id), col(Student.name)).join(Enrolment)
    return students.where(col(Enrolment.course_id) == course.id, who).order_by(Student.name, col(Student.id))


def _cells(
    dialect: str, course: Course, exercises: list[Exercise], student_id: int | None
) -> Select[int, str, str, str]:
    """Student, exercise, the names of the checkpoints that they handed in, and the cells in the same order."""
    of_whom = () if student_id is None else (col(Progress.student_id) == student_id,)
    names = func.aggregate_strings(col(Progress.checkpoint), BETWEEN)
    # Both databases keep a moment as text with a space in the middle: the only spaces that there are.
    cells = func.replace(func.aggregate_strings(_cell(dialect), BETWEEN), " ", "T")
    return (
        select(col(Progress.student_id), col(Progress.exercise), names, cells)
        .where(
            col(Progress.course_id) == course.id,
            col(Progress.exercise).in_([each.slug for each in exercises]),
            *of_whom,
        )
        .group_by(col(Progress.student_id), col(Progress.exercise))
    )


def _cell(dialect: str) -> ColumnElement[str]:
    """A cell as JSON, on each database in its fastest way."""
    best, attempts, moment = col(Progress.best), col(Progress.attempts), col(Progress.first_passed_at)
    if dialect == "sqlite":
        utc = type_coerce(moment, String) + "Z"
        return func.json_object("best", best, "attempts", attempts, "first_passed_at", utc)
    utc = func.coalesce('"' + cast(func.timezone("UTC", moment), String) + 'Z"', "null")
    return '{"best":"' + best + '","attempts":' + cast(attempts, String) + ',"first_passed_at":' + utc + "}"


def _inert(text: str) -> str:
    """Text that a spreadsheet shows instead of computing it."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
