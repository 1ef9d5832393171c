"""Submissions."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKeyConstraint, Index, LargeBinary, UniqueConstraint
from sqlmodel import Field

from server.database.table import Table, now, text_enum
from server.tables.instance import revision_key


class AnswerKind(StrEnum):
    """What was handed in."""

    CODE = "code"
    TENSORS = "tensors"


class SubmissionRow(Table, table=True):
    """What a student handed in. It is written once; only retention and erasure empty its body, at ``emptied_at``.

    ``body`` is the safetensors file, or the source in UTF-8. ``attempt`` counts from 1 for each account, course and
    exercise. ``instance_id`` is the instance on which it is graded, each time; the oldest submissions have none.
    """

    __tablename__ = "submission"
    __table_args__ = (
        ForeignKeyConstraint(["course_id", "account_id"], ["seat.course_id", "seat.account_id"]),
        revision_key(),
        UniqueConstraint("course_id", "account_id", "exercise", "attempt"),
        UniqueConstraint("account_id", "idempotency_key"),
        Index(None, "account_id", "created_at"),  # for the rate limit
        # For reports: how many, the first and the last of each student, without a look at any body.
        Index(None, "course_id", "exercise", "account_id", "created_at"),
    )

    id: int = Field(default=None, primary_key=True)
    course_id: int
    account_id: int
    exercise: str = Field(max_length=64)
    revision: int
    attempt: int
    kind: AnswerKind = Field(sa_type=text_enum(AnswerKind))
    filename: str | None = Field(default=None, max_length=255)
    body: bytes = Field(sa_type=LargeBinary)
    digest: str = Field(max_length=64)
    idempotency_key: str | None = Field(default=None, max_length=255)
    instance_id: int | None = Field(default=None, foreign_key="instance.id")
    emptied_at: datetime | None = None
    created_at: datetime = Field(default_factory=now)
