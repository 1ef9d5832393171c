"""Drafts: what stands in a student's editor."""

from datetime import datetime

from sqlalchemy import Text, UniqueConstraint
from sqlmodel import Field

from server.database.table import Table, now


class DraftRow(Table, table=True):
    """The code that an account is writing for an exercise of a course. It is no answer: nothing grades it."""

    __tablename__ = "draft"
    __table_args__ = (UniqueConstraint("course_id", "account_id", "exercise"),)

    id: int = Field(default=None, primary_key=True)
    course_id: int = Field(foreign_key="course.id")
    account_id: int = Field(foreign_key="account.id", index=True)
    exercise: str = Field(max_length=64)
    source: str = Field(sa_type=Text)
    changed_at: datetime = Field(default_factory=now)
