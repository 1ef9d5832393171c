"""The matrix: the students of a course by checkpoints, as JSON and as CSV.

A class of a thousand has 26,000 cells, so nothing here is an object of its own: a cell is a tuple, a moment is
text that the database wrote, and the number of queries does not depend on the size.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, String, func, select, type_coerce
from sqlmodel import Session, col

from exercises.exercise import Exercise
from grader.compare import Verdict
from server.models import Course, Enrolment, Progress, Role, Student

Cell = tuple[str, int, str | None]
CellsRead = Select[int, str, str, str, int, str | None]

CSV_HEADER = ("student_id", "student", "exercise", "checkpoint", "best", "exact", "attempts", "first_passed_at")


@dataclass(frozen=True)
class Matrix:
    """``columns`` are (exercise, checkpoint); each row is a student's id, their name, and for each column (best
    verdict, attempts, first passed at), or None where nothing was handed in."""

    course: str
    columns: list[tuple[str, str]]
    rows: list[tuple[int, str, list[Cell | None]]]

    def as_json(self) -> str:
        """As ``schemas.Progress`` describes it. Verdicts and moments need no escaping; names and slugs do."""
        columns = [{"exercise": exercise, "checkpoint": checkpoint} for exercise, checkpoint in self.columns]
        head = f'"course":{json.dumps(self.course)},"columns":{json.dumps(columns)}'
        rows = [
            f'{{"student":{{"id":{id},"name":{json.dumps(name)}}},"cells":[{",".join(map(_cell_json, cells))}]}}'
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
            lines.writerows(
                (
                    id,
                    shown,
                    *column,
                    cell[0],
                    "true" if cell[0] == Verdict.EXACT.value else "false",
                    cell[1],
                    cell[2] or "",
                )
                for column, cell in zip(self.columns, cells, strict=True)
                if cell is not None
            )
        return text.getvalue()


def read_matrix(
    session: Session, course: Course, exercises: Iterable[Exercise], student_id: int | None = None
) -> Matrix:
    """The students of a course, or one account of it, by name. Two queries."""
    asked = list(exercises)
    columns = [(exercise.slug, each.name) for exercise in asked for each in exercise.checkpoints]
    places = {column: place for place, column in enumerate(columns)}
    empty: list[Cell | None] = [None] * len(columns)
    read = session.connection().execute
    found = [(id, name, empty.copy()) for id, name in read(_students(course, student_id))]
    by_id = {id: cells for id, _, cells in found}
    dialect = session.get_bind().dialect.name
    for id, exercise, checkpoint, best, attempts, moment in read(_cells(dialect, course, asked, student_id)):
        place = places.get((exercise, checkpoint))
        if place is not None and id in by_id:
            by_id[id][place] = (best, attempts, moment)
    return Matrix(course.slug, columns, found)


def _students(course: Course, student_id: int | None) -> Select[int, str]:
    who = col(Enrolment.role) == Role.STUDENT if student_id is None else col(Student.id) == student_id
    students = select(col(Student.id), col(Student.name)).join(Enrolment)
    return students.where(col(Enrolment.course_id) == course.id, who).order_by(Student.name, col(Student.id))


def _cells(dialect: str, course: Course, exercises: list[Exercise], student_id: int | None) -> CellsRead:
    of_whom = () if student_id is None else (col(Progress.student_id) == student_id,)
    return select(
        col(Progress.student_id),
        col(Progress.exercise),
        col(Progress.checkpoint),
        col(Progress.best),
        col(Progress.attempts),
        _moment(dialect),
    ).where(
        col(Progress.course_id) == course.id,
        col(Progress.exercise).in_([each.slug for each in exercises]),
        *of_whom,
    )


def _moment(dialect: str) -> ColumnElement[str | None]:
    """When it was first passed, as ISO 8601 text in UTC, written by the database."""
    moment = col(Progress.first_passed_at)
    if dialect == "sqlite":  # keeps UTC as text, with a space in the middle
        return func.replace(type_coerce(moment, String), " ", "T") + "Z"
    return func.to_char(func.timezone("UTC", moment), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')


def _cell_json(cell: Cell | None) -> str:
    if cell is None:
        return "null"
    best, attempts, moment = cell
    passed = f'"{moment}"' if moment else "null"
    return f'{{"best":"{best}","attempts":{attempts},"first_passed_at":{passed}}}'


def _inert(text: str) -> str:
    """Text that a spreadsheet shows instead of computing it."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
