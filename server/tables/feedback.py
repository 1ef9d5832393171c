"""What people say of work: comments, and points that override those worked out."""

from datetime import datetime

from sqlalchemy import ForeignKeyConstraint, Index, Text
from sqlmodel import Field

from server.database.table import Table, now


class CommentRow(Table, table=True):
    """A comment of staff on a submission, or on one step of it. Its student reads it; no regrade touches it."""

    __tablename__ = "comment"

    id: int = Field(default=None, primary_key=True)
    submission_id: int = Field(foreign_key="submission.id", index=True)
    checkpoint: str | None = Field(default=None, max_length=64)
    author_id: int = Field(foreign_key="account.id")
    text: str = Field(sa_type=Text)
    created_at: datetime = Field(default_factory=now)
    withdrawn_at: datetime | None = None


class OverrideRow(Table, table=True):
    """Points that staff gave a student for an assignment, instead of those worked out, with the reason.

    The newest that was not withdrawn counts. No regrade touches it.
    """

    __tablename__ = "override"
    __table_args__ = (
        ForeignKeyConstraint(["course_id", "account_id"], ["seat.course_id", "seat.account_id"]),
        Index(None, "course_id", "exercise", "account_id"),
    )

    id: int = Field(default=None, primary_key=True)
    course_id: int
    account_id: int
    exercise: str = Field(max_length=64)
    points: float
    reason: str = Field(sa_type=Text)
    author_id: int | None = Field(default=None, foreign_key="account.id")
    created_at: datetime = Field(default_factory=now)
    withdrawn_at: datetime | None = None
