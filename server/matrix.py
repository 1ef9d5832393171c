"""The matrix: the students of a course by checkpoints, as JSON and as CSV.

A class of a thousand has 26,000 cells. So the database writes them, as the JSON that is sent, in one text for each
student and exercise; here they are only put in their places. The number of queries does not depend on the size.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from sqlalchemy import ColumnElement, Select, String, cast, func, select, type_coerce
from sqlmodel import Session, col

from exercises.exercise import Exercise
from grader.compare import Verdict
from server.models import Course, Enrolment, Progress, Role, Student

CSV_HEADER: Final = ("student_id", "student", "exercise", "checkpoint", "best", "exact", "attempts", "first_passed_at")
# "logits":{"best":"exact","attempts":3,"first_passed_at":"…Z"}. Nothing in a cell needs escaping or has braces.
CELL: Final = re.compile(r'"(\w+)":(\{[^}]*\})')


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
    columns = [(exercise.slug, [each.name for each in exercise.checkpoints]) for exercise in asked]
    read = session.connection().execute
    written = {
        (student, exercise): text
        for student, exercise, text in read(_cells(session.get_bind().dialect.name, course, asked, student_id))
    }
    rows = [
        (id, name, [cell for slug, names in columns for cell in _placed(written.get((id, slug), ""), names)])
        for id, name in read(_students(course, student_id))
    ]
    return Matrix(course.slug, [(slug, name) for slug, names in columns for name in names], rows)


def _placed(text: str, checkpoints: Iterable[str]) -> list[str]:
    """The cells of one student and exercise, in the order of the checkpoints."""
    cells = dict(CELL.findall(text))
    return [cells.get(name, "null") for name in checkpoints]


def _students(course: Course, student_id: int | None) -> Select[int, str]:
    who = col(Enrolment.role) == Role.STUDENT if student_id is None else col(Student.id) == student_id
    students = select(col(Student.id), col(Student.name)).join(Enrolment)
    return students.where(col(Enrolment.course_id) == course.id, who).order_by(Student.name, col(Student.id))


def _cells(dialect: str, course: Course, exercises: list[Exercise], student_id: int | None) -> Select[int, str, str]:
    of_whom = () if student_id is None else (col(Progress.student_id) == student_id,)
    return (
        select(col(Progress.student_id), col(Progress.exercise), _written(dialect))
        .where(
            col(Progress.course_id) == course.id,
            col(Progress.exercise).in_([each.slug for each in exercises]),
            *of_whom,
        )
        .group_by(col(Progress.student_id), col(Progress.exercise))
    )


def _written(dialect: str) -> ColumnElement[str]:
    """All cells of a group as JSON, each after the name of its checkpoint; on each database in its fastest way."""
    name, best, attempts = col(Progress.checkpoint), col(Progress.best), col(Progress.attempts)
    moment = col(Progress.first_passed_at)
    if dialect == "sqlite":
        utc = type_coerce(moment, String) + "Z"
        cells = func.json_group_object(
            name, func.json_object("best", best, "attempts", attempts, "first_passed_at", utc)
        )
    else:
        utc = func.coalesce('"' + cast(func.timezone("UTC", moment), String) + 'Z"', "null")
        cell = '{"best":"' + best + '","attempts":' + cast(attempts, String) + ',"first_passed_at":' + utc + "}"
        cells = func.aggregate_strings('"' + name + '":' + cell, ",")
    # Both keep a moment as text with a space in the middle: the only spaces that there are.
    return func.replace(cells, " ", "T")


def _inert(text: str) -> str:
    """Text that a spreadsheet shows instead of computing it."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
