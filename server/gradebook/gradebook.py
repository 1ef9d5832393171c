"""The gradebook of a course as a value, and reading it.

Points are worked out now, from the first moments that progress keeps and from the extensions of today. The database
groups the checkpoints of a student that were reached together, so a class of 10,000 is read within some seconds.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import select as select_columns  # SQLModel's takes no more than four
from sqlmodel import Session, col, select

from exercises.exercise import Exercise
from server.assignments.assignment import Assignment, list_assignments, read_extensions
from server.assignments.points import Earned, Moments, earn, points_max, scaled, step_weight
from server.courses.seats import listed_students
from server.gradebook.queries import groups_of_checkpoints
from server.tables import AccountRow, CourseRow, OverrideRow, SeatRow

DECIMALS: Final = 2  # as learning management systems keep them; a total is the sum of what is shown


@dataclass(frozen=True)
class Column:
    """An assignment of the gradebook, and what it is worth."""

    exercise: str
    title: str
    points_max: float


@dataclass(frozen=True)
class Cell:
    """What a student has earned in an assignment.

    ``late_days`` is the most of the answers that earned something. ``is_override`` says that staff set the points.
    """

    points: float = 0.0
    late_days: int = 0
    is_override: bool = False


@dataclass(frozen=True)
class Student:
    """A student of the course, as the roster says."""

    id: int
    name: str
    university_id: str | None
    email: str | None
    section: str | None


@dataclass(frozen=True)
class Line:
    """A student with a cell for each column."""

    student: Student
    cells: tuple[Cell, ...]

    @property
    def points(self) -> float:
        """The points in all."""
        return round(math.fsum(cell.points for cell in self.cells), DECIMALS)

    @property
    def late_days(self) -> int:
        """The late days in all."""
        return sum(cell.late_days for cell in self.cells)


@dataclass(frozen=True)
class Gradebook:
    """Everybody in a course, by name, with what they earned in each of its assignments."""

    course: str
    columns: tuple[Column, ...]
    lines: tuple[Line, ...]

    @property
    def points_max(self) -> float:
        """The points of all assignments."""
        return round(math.fsum(column.points_max for column in self.columns), DECIMALS)

    def as_json(self) -> str:
        """Return the JSON of a ``GradebookBody``; to build one of 10,000 students takes some ten times as long."""
        lines = [
            {
                "student": vars(line.student),
                "points": line.points,
                "late_days": line.late_days,
                "cells": [
                    {"points": cell.points, "late_days": cell.late_days, "override": cell.is_override}
                    for cell in line.cells
                ],
            }
            for line in self.lines
        ]
        columns = [vars(column) for column in self.columns]
        return json.dumps(
            {"course": self.course, "points_max": self.points_max, "columns": columns, "lines": lines},
            ensure_ascii=False,
            separators=(",", ":"),
        )


def read_gradebook(
    session: Session, course: CourseRow, exercises: Iterable[Exercise], section: str | None = None
) -> Gradebook:
    """Read what all students of a course, or of one section, have earned in the assignments among these exercises.

    Who never started is in it. The number of queries depends on that of the assignments alone.
    """
    by_slug = {each.slug: each for each in exercises}
    assignments = list_assignments(session, course, by_slug)
    students = _students(session, course, section)
    extensions = read_extensions(session, course)
    overrides = _overrides(session, course)
    columns, cells = [], []
    for assignment in assignments:
        exercise = by_slug[assignment.exercise]
        names = [each.name for each in exercise.checkpoints]
        most = round(points_max(assignment, names), DECIMALS)
        columns.append(Column(exercise.slug, exercise.title, most))
        due_times = {each.id: extensions.of(exercise.slug, each.id, each.section) for each in students}
        earned = earned_cells(session, assignment, names, due_times)
        for id, points in overrides.get(exercise.slug, {}).items():
            late_days = earned.get(id, Cell()).late_days
            earned[id] = Cell(round(points, DECIMALS), late_days, is_override=True)
        cells.append([earned.get(each.id, Cell()) for each in students])
    lines = (
        Line(student, each)
        for student, each in zip(students, zip(*cells, strict=True) if cells else [()] * len(students), strict=True)
    )
    return Gradebook(course.slug, tuple(columns), tuple(lines))


def earned_cells(
    session: Session, assignment: Assignment, checkpoints: list[str], due_times: Mapping[int, tuple[datetime, ...]]
) -> dict[int, Cell]:
    """Return what each student earned in an assignment, by account; who handed in nothing is left out."""
    groups: dict[int, list[tuple[float, Earned]]] = {}
    known: dict[tuple[object, ...], Earned] = {}  # a class that is in time has a few
    rows = session.connection().execute(groups_of_checkpoints(assignment, checkpoints))
    for account_id, exact_at, passed_at, inherited_at, weight in rows:
        due = due_times.get(account_id)
        if due is None:  # no student, or of another section
            continue
        key = (exact_at, passed_at, inherited_at, due)
        if key not in known:
            known[key] = earn(assignment, Moments(exact_at, passed_at, inherited_at), due)
        groups.setdefault(account_id, []).append((float(weight), known[key]))
    most = points_max(assignment, checkpoints)
    weight_max = math.fsum(step_weight(assignment, name) for name in checkpoints)
    return {
        account_id: Cell(round(points.points, DECIMALS), points.late_days)
        for account_id, earned in groups.items()
        for points in [scaled(most, weight_max, earned)]
    }


def _students(session: Session, course: CourseRow, section: str | None) -> list[Student]:
    # Columns, not rows: to make an object of each takes a third of the time of the whole.
    students = (
        select_columns(
            col(AccountRow.id),
            col(AccountRow.name),
            col(SeatRow.university_id),
            col(SeatRow.email),
            col(SeatRow.section),
        )
        .join(SeatRow, col(SeatRow.account_id) == AccountRow.id)
        .where(listed_students(course, section))
        .order_by(AccountRow.name, col(AccountRow.id))
    )
    return [Student(*row) for row in session.connection().execute(students)]


def _overrides(session: Session, course: CourseRow) -> dict[str, dict[int, float]]:
    """Return exercise → account → the points that staff gave last."""
    found: dict[str, dict[int, float]] = {}
    in_force = (
        select(OverrideRow)
        .where(OverrideRow.course_id == course.id, col(OverrideRow.withdrawn_at).is_(None))
        .order_by(col(OverrideRow.id))
    )
    for row in session.exec(in_force):
        found.setdefault(row.exercise, {})[row.account_id] = row.points
    return found
