"""A course of two sections with progress that was written down, not graded."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import Session

from exercises.registry import find
from server.courses import courses
from server.database.engine import Database
from server.tables import CourseRow, ProgressRow, Role, SeatRow
from tests.support.servers import FULL

DUE = datetime(2026, 12, 1, 22, 0, tzinfo=UTC)
DAY = timedelta(days=1)
STEPS = [each.name for each in find(FULL).checkpoints]


@dataclass(frozen=True)
class Class:
    """A course in Berlin: Ada (section A) answered all in time, Bob (section B) all a day and an hour late."""

    course_id: int
    ada: int
    bob: int
    assistant: int

    def of(self, session: Session) -> CourseRow:
        """Return the course in a transaction."""
        return session.get_one(CourseRow, self.course_id)


@pytest.fixture
def autumn(database: Database) -> Class:
    """The class."""
    with database.writing() as session:
        course = courses.open_course(session, "autumn", "Autumn")
        course.time_zone = "Europe/Berlin"
        ada, bob = (courses.enrol(session, course, name, Role.STUDENT).account.id for name in ("Ada", "Bob"))
        assistant = courses.enrol(session, course, "Zoe", Role.ASSISTANT).account.id
        session.flush()
        for account_id, section in ((ada, "A"), (bob, "B"), (assistant, "B")):
            session.get_one(SeatRow, (course.id, account_id)).section = section
        for account_id, moment in ((ada, DUE - DAY), (bob, DUE + DAY + timedelta(hours=1))):
            session.add_all(
                ProgressRow(
                    course_id=course.id,
                    account_id=account_id,
                    exercise=FULL,
                    checkpoint=name,
                    best="exact",
                    attempts=1,
                    first_passed_at=moment,
                    first_exact_at=moment,
                )
                for name in STEPS
            )
    return Class(course.id, ada, bob, assistant)
