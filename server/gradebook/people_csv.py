"""The gradebook as CSV for a person and their spreadsheet."""

from __future__ import annotations

from typing import Final

from server import spreadsheet
from server.gradebook.gradebook import Gradebook, Line
from server.spreadsheet import number

STUDENT_COLUMNS: Final = ("id", "student", "university id", "e-mail", "section")
OVERRIDE: Final = "override"


def as_csv(gradebook: Gradebook) -> str:
    """Return a line for each student: the points in all and by assignment, the days late, and what was overridden."""
    header = [*STUDENT_COLUMNS, f"points (of {number(gradebook.points_max)})", "days late"]
    for column in gradebook.columns:
        name = column.exercise
        header += [f"{name} (of {number(column.points_max)})", f"{name} days late", f"{name} {OVERRIDE}"]
    return spreadsheet.as_csv(header, map(_cells, gradebook.lines))


def _cells(line: Line) -> list[str | float | None]:
    student = line.student
    cells: list[str | float | None] = [student.id, student.name, student.university_id, student.email, student.section]
    cells += [line.points, line.late_days]
    for cell in line.cells:
        cells += [cell.points, cell.late_days, OVERRIDE if cell.is_override else None]
    return cells
