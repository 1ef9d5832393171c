"""Courses, and the seats in them."""

from datetime import datetime
from enum import StrEnum

from sqlmodel import Field

from server.database.table import Table, now, text_enum


class Role(StrEnum):
    """What an account is in a course. ``ADMIN`` is no seat: it comes with the account and holds in every course."""

    STUDENT = "student"
    ASSISTANT = "assistant"
    INSTRUCTOR = "instructor"
    ADMIN = "admin"


class CourseRow(Table, table=True):
    """A course.

    ``join_code`` is kept in plain text, not as a hash: staff show it to a class again and again, and it gives a
    student's seat and nothing else. One command replaces it.

    ``hint_levels`` (0 to 3) is how much of a diagnosis students see. The levels beyond the first are shown after
    ``hints_after`` attempts at the checkpoint. ``counterexamples`` says whether the last level shows one element moved,
    with the change of the loss. ``inherited_share`` (0 to 1) is the part of a point that a step earns
    whose only mistake is above it.
    """

    __tablename__ = "course"

    id: int = Field(default=None, primary_key=True)
    slug: str = Field(unique=True, max_length=64)
    title: str = Field(max_length=200)
    join_code: str = Field(unique=True, max_length=32)
    hint_levels: int = 3
    hints_after: int = 0
    counterexamples: bool = True
    inherited_share: float = 0.0
    created_at: datetime = Field(default_factory=now)


class SeatRow(Table, table=True):
    """An account's place in a course."""

    __tablename__ = "seat"

    course_id: int = Field(primary_key=True, foreign_key="course.id")
    account_id: int = Field(primary_key=True, foreign_key="account.id", index=True)
    role: Role = Field(default=Role.STUDENT, sa_type=text_enum(Role))
    created_at: datetime = Field(default_factory=now)
