"""Instances, and the exercise revisions that they belong to."""

from datetime import datetime

from sqlalchemy import ForeignKeyConstraint, LargeBinary, UniqueConstraint
from sqlmodel import Field

from server.database.table import Table, now


class ExerciseRevisionRow(Table, table=True):
    """A revision of an exercise that this server has served. The exercise itself is code."""

    __tablename__ = "exercise_revision"

    slug: str = Field(primary_key=True, max_length=64)
    revision: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    created_at: datetime = Field(default_factory=now)


def revision_key() -> ForeignKeyConstraint:
    """Return the foreign key of a table with the columns ``exercise`` and ``revision``."""
    return ForeignKeyConstraint(["exercise", "revision"], ["exercise_revision.slug", "exercise_revision.revision"])


class InstanceRow(Table, table=True):
    """A frozen forward state, kept as the bytes that were handed out or graded on.

    A canonical one has no owner, and hidden ones have none either: they are a pool.
    """

    __tablename__ = "instance"
    __table_args__ = (UniqueConstraint("account_id", "exercise", "revision", "kind"), revision_key())

    id: int = Field(default=None, primary_key=True)
    account_id: int | None = Field(default=None, foreign_key="account.id")
    exercise: str = Field(max_length=64)
    revision: int
    kind: str = Field(max_length=16)
    dataset: str = Field(max_length=64)
    digest: str = Field(max_length=64)
    state: bytes = Field(sa_type=LargeBinary)
    created_at: datetime = Field(default_factory=now)
