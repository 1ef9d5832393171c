"""Courses, and the seats in them."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import JSON, UniqueConstraint
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

    ``time_zone`` is an IANA name, such as ``Europe/Berlin``: dates are shown in it, and kept in UTC. An archived course
    can be read, and takes nothing in.

    The other fields hold for each exercise unless its assignment says otherwise. ``hint_levels`` (0 to 3) is how much
    of a diagnosis students see. The levels beyond the first are shown after ``hints_after`` attempts at the checkpoint.
    ``counterexamples`` says whether the last level shows one element moved, with the change of the loss.
    ``inherited_share`` (0 to 1) is the part of a point that a step earns whose only mistake is above it.

    ``packs`` maps the packs of exercises that the course takes in to the digest of each as it was pinned. A course that
    pins none has the default pack (``server/courses/pinned_packs.py``).
    """

    __tablename__ = "course"

    id: int = Field(default=None, primary_key=True)
    slug: str = Field(unique=True, max_length=64)
    title: str = Field(max_length=200)
    hint_levels: int = 3
    hints_after: int = 0
    counterexamples: bool = True
    inherited_share: float = 0.0
    time_zone: str = Field(default="UTC", max_length=64)
    packs: dict[str, str] = Field(default_factory=dict, sa_type=JSON)
    archived_at: datetime | None = None
    created_at: datetime = Field(default_factory=now)


class SeatRow(Table, table=True):
    """An account's place in a course.

    ``email``, ``university_id`` and ``section`` are what the course's roster says of this person. Who was removed keeps
    their work, and is in no list. ``last_seen_at`` is written at most once in some minutes.
    """

    __tablename__ = "seat"
    __table_args__ = (UniqueConstraint("course_id", "university_id"),)

    course_id: int = Field(primary_key=True, foreign_key="course.id")
    account_id: int = Field(primary_key=True, foreign_key="account.id", index=True)
    role: Role = Field(default=Role.STUDENT, sa_type=text_enum(Role))
    email: str | None = Field(default=None, max_length=320)
    university_id: str | None = Field(default=None, max_length=64)
    section: str | None = Field(default=None, max_length=64)
    created_at: datetime = Field(default_factory=now)
    removed_at: datetime | None = None
    last_seen_at: datetime | None = None


class JoinCodeRow(Table, table=True):
    """A code that gives a student's seat in a course; there may be several.

    It is kept in plain text, not as a hash: staff show it to a class again and again, and it gives a student's seat
    and nothing else. It works until ``expires_at``, ``uses_max`` joins or ``revoked_at``, whichever comes first.
    """

    __tablename__ = "join_code"

    id: int = Field(default=None, primary_key=True)
    course_id: int = Field(foreign_key="course.id", index=True)
    code: str = Field(unique=True, max_length=32)
    section: str | None = Field(default=None, max_length=64)
    uses: int = 0
    uses_max: int | None = None
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    created_at: datetime = Field(default_factory=now)


class InvitationRow(Table, table=True):
    """The personal link of somebody on a roster: it opens their account once. Only the SHA-256 of its code is kept."""

    __tablename__ = "invitation"

    account_id: int = Field(primary_key=True, foreign_key="account.id")
    digest: str = Field(unique=True, max_length=64)
    created_at: datetime = Field(default_factory=now)
    expires_at: datetime
