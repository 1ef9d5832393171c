"""Progress: the best of each student at each checkpoint."""

from datetime import datetime

from sqlalchemy import ForeignKeyConstraint
from sqlmodel import Field

from server.database.table import Table


class ProgressRow(Table, table=True):
    """The best of a student at a checkpoint.

    ``first_exact_at``, ``first_passed_at`` and ``first_inherited_at`` say when the first answer was handed in that was
    exact, passed, or had its only mistake above and inherits no constant. Points follow from them, and from how late
    each is.

    It follows from the grades. It is kept beside them, in the same transaction, so that a class is read without
    reading every grade.
    """

    __tablename__ = "progress"
    __table_args__ = (
        ForeignKeyConstraint(["course_id", "account_id"], ["seat.course_id", "seat.account_id"]),
        {"sqlite_with_rowid": False},  # stored in the order of its key: a class is read in one go
    )

    course_id: int = Field(primary_key=True)
    account_id: int = Field(primary_key=True)
    exercise: str = Field(primary_key=True, max_length=64)
    checkpoint: str = Field(primary_key=True, max_length=64)
    best: str = Field(max_length=16)
    attempts: int
    first_passed_at: datetime | None = None
    first_exact_at: datetime | None = None
    first_inherited_at: datetime | None = None
