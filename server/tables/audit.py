"""The audit log of a course."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Text
from sqlmodel import Field

from server.database.table import Table, now


class AuditRow(Table, table=True):
    """Who changed what in a course, and when. Entries are only added.

    Nobody is named: ``actor_id`` and ``subject_id`` are numbers of accounts. An ``actor_id`` of None is the operator at
    the command line. ``before`` and ``after`` hold what changed and no personal data, so that an erasure has nothing to
    do here.
    """

    __tablename__ = "audit"

    id: int = Field(default=None, primary_key=True)
    course_id: int = Field(foreign_key="course.id", index=True)
    actor_id: int | None = Field(default=None, foreign_key="account.id")
    act: str = Field(max_length=64)
    subject_id: int | None = Field(default=None, foreign_key="account.id")
    exercise: str | None = Field(default=None, max_length=64)
    submission_id: int | None = Field(default=None, foreign_key="submission.id")
    before: dict[str, Any] | None = Field(default=None, sa_type=JSON(none_as_null=True))
    after: dict[str, Any] | None = Field(default=None, sa_type=JSON(none_as_null=True))
    reason: str | None = Field(default=None, sa_type=Text)
    created_at: datetime = Field(default_factory=now)
