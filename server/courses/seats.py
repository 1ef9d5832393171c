"""Seats of a course: whom a list shows, and who stays responsible."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy import ColumnElement, and_
from sqlmodel import Session, col, func, select

from server.database.table import now
from server.http.problems import Conflict
from server.tables import AccountRow, CourseRow, Role, SeatRow

# A moment is written at most once in ten minutes (``last_seen.py``).
AT_WORK: Final = timedelta(minutes=15)


class LastInstructor(Conflict):
    """A course would be without an instructor."""

    title, slug = "Last instructor", "last-instructor"


def is_listed() -> ColumnElement[bool]:
    """Return the condition on joined seats and accounts that a list shows them: not removed, erased or merged."""
    return and_(
        col(SeatRow.removed_at).is_(None),
        col(AccountRow.erased_at).is_(None),
        col(AccountRow.merged_into_id).is_(None),
    )


def in_section(section: str | None) -> tuple[ColumnElement[bool], ...]:
    """Return the condition on seats that they are of this section; None means the whole course: no condition."""
    return () if section is None else (col(SeatRow.section) == section,)


def listed_students(course: CourseRow, section: str | None = None) -> ColumnElement[bool]:
    """Return the condition on joined seats and accounts that they are a student's whom a list of the course shows."""
    return and_(
        col(SeatRow.course_id) == course.id, col(SeatRow.role) == Role.STUDENT, is_listed(), *in_section(section)
    )


@dataclass(frozen=True)
class Presence:
    """How many students a course has, and how many of them were seen in the last minutes."""

    students: int
    at_work: int


def count_present(session: Session, course: CourseRow, section: str | None = None) -> Presence:
    """Return how many students a list of the course shows, and how many of them are at work."""
    is_at_work = col(SeatRow.last_seen_at) > now() - AT_WORK
    counts = (
        select(func.count(), func.count().filter(is_at_work))
        .select_from(SeatRow)
        .join(AccountRow, col(AccountRow.id) == SeatRow.account_id)
        .where(listed_students(course, section))
    )
    return Presence(*session.exec(counts).one())


def has_other_instructor(session: Session, course: CourseRow, account_id: int) -> bool:
    """Return whether a course has an instructor besides this account; who was erased is none."""
    others = (
        select(SeatRow.account_id)
        .join(AccountRow, col(AccountRow.id) == SeatRow.account_id)
        .where(
            SeatRow.course_id == course.id,
            SeatRow.role == Role.INSTRUCTOR,
            SeatRow.account_id != account_id,
            col(SeatRow.removed_at).is_(None),
            col(AccountRow.erased_at).is_(None),
        )
    )
    return session.exec(others.limit(1)).first() is not None
