"""Assignments, extensions and states of a course for tests, written straight into the database."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlmodel import select

from server.database.table import now
from server.tables import AssignmentRow, CourseRow, ExtensionRow
from tests.support.servers import COURSE, FULL, RunningServer, Student

HOUR = timedelta(hours=1)


def assign(server: RunningServer, exercise: str = FULL, *, slug: str = COURSE, **fields: Any) -> None:
    """Give a course this assignment, instead of the one that it may have of this exercise."""
    with server.services.database.writing() as session:
        course = session.exec(select(CourseRow).where(CourseRow.slug == slug)).one()
        row = session.get(AssignmentRow, (course.id, exercise))
        if row is not None:
            session.delete(row)
            session.flush()
        session.add(AssignmentRow(course_id=course.id, exercise=exercise, **{"position": 0, **fields}))


def extend(server: RunningServer, student: Student, hours: float, exercise: str = FULL) -> None:
    """Give a student an extension that ends so many hours from now."""
    with server.services.database.writing() as session:
        course = session.exec(select(CourseRow).where(CourseRow.slug == student.course)).one()
        due_at = now() + hours * HOUR
        session.add(
            ExtensionRow(
                course_id=course.id, exercise=exercise, account_id=student.account, due_at=due_at, reason="ill"
            )
        )


def archive(server: RunningServer, slug: str = COURSE) -> None:
    """Archive a course."""
    with server.services.database.writing() as session:
        session.exec(select(CourseRow).where(CourseRow.slug == slug)).one().archived_at = now()
