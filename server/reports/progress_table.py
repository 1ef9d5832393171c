"""The progress table: the students of a course by checkpoints, as JSON and as CSV.

The database writes the cells; here they are only put in their places. The number of queries does not depend on the size
of the class.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from sqlalchemy import Select, select
from sqlmodel import Session, col

from exercises.exercise import Exercise
from grader.compare import Verdict
from server.database import dialect
from server.reports.queries import SEPARATOR, cells_of_students
from server.tables import AccountRow, CourseRow, Role, SeatRow

CSV_HEADER: Final = ("student_id", "student", "exercise", "checkpoint", "best", "exact", "attempts", "first_passed_at")
NO_CELL: Final = "null"
SPREADSHEET_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True)
class ProgressTable:
    """``columns`` are (exercise, checkpoint). A row is a student's id, their name and a JSON text for each column.

    Such a text is a ``CellBody``, or ``null`` if nothing was handed in.
    """

    course: str
    columns: list[tuple[str, str]]
    rows: list[tuple[int, str, list[str]]]

    def as_json(self) -> str:
        """Return the JSON of a ``ProgressBody``."""
        columns = [{"exercise": exercise, "checkpoint": checkpoint} for exercise, checkpoint in self.columns]
        head = f'"course":{json.dumps(self.course)},"columns":{json.dumps(columns)}'
        rows = [
            f'{{"student":{{"id":{id},"name":{json.dumps(name)}}},"cells":[{",".join(cells)}]}}'
            for id, name, cells in self.rows
        ]
        return f'{{{head},"rows":[{",".join(rows)}]}}'

    def as_csv(self) -> str:
        """Return a line for each student and checkpoint handed in."""
        text = io.StringIO()
        lines = csv.writer(text)
        lines.writerow(CSV_HEADER)
        for id, name, cells in self.rows:
            safe_name = _defused(name)
            for column, cell in zip(self.columns, map(json.loads, cells), strict=True):
                if cell is not None:
                    exact = "true" if cell["best"] == Verdict.EXACT.value else "false"
                    moment = cell["first_passed_at"] or ""
                    lines.writerow((id, safe_name, *column, cell["best"], exact, cell["attempts"], moment))
        return text.getvalue()


def read_progress_table(
    session: Session, course: CourseRow, exercises: Iterable[Exercise], account_id: int | None = None
) -> ProgressTable:
    """Read the students of a course by name, or one account of it; two queries."""
    asked = list(exercises)
    columns = [(exercise.slug, tuple(each.name for each in exercise.checkpoints)) for exercise in asked]
    read = session.connection().execute
    texts = {
        (student, exercise): names_and_cells
        for student, exercise, *names_and_cells in read(
            cells_of_students(dialect.name(session), course, asked, account_id)
        )
    }
    rows = [
        (id, name, [cell for slug, names in columns for cell in _in_places(names, *texts.get((id, slug), ("", "")))])
        for id, name in read(_students(course, account_id))
    ]
    return ProgressTable(course.slug, [(slug, name) for slug, names in columns for name in names], rows)


def _in_places(checkpoints: tuple[str, ...], names: str, cells: str) -> list[str]:
    """Return the cells of one student and exercise, which are in the order of ``names``, in that of the checkpoints."""
    texts = [*cells.split(SEPARATOR), NO_CELL]
    return [texts[place] for place in _places(checkpoints, names)]


@lru_cache(maxsize=1024)
def _places(checkpoints: tuple[str, ...], names: str) -> list[int]:
    """Return where each checkpoint stands among the names, or -1. Most of a class handed in the same ones."""
    place_of = {name: place for place, name in enumerate(names.split(SEPARATOR))}
    return [place_of.get(name, -1) for name in checkpoints]


def _students(course: CourseRow, account_id: int | None) -> Select[int, str]:
    whose = col(SeatRow.role) == Role.STUDENT if account_id is None else col(AccountRow.id) == account_id
    students = select(col(AccountRow.id), col(AccountRow.name)).join(SeatRow)
    return students.where(col(SeatRow.course_id) == course.id, whose).order_by(AccountRow.name, col(AccountRow.id))


def _defused(text: str) -> str:
    """Return text that a spreadsheet shows instead of computing it."""
    return f"'{text}" if text.startswith(SPREADSHEET_FORMULA) else text
