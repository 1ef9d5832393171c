"""The base of all tables.

Times are aware and in UTC on both databases. An ``id`` is typed as the integer that it is in every row; only an
object that was not written yet has none.
"""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from functools import cache
from typing import ClassVar

from sqlalchemy import Enum, Insert, MetaData
from sqlmodel import Session, SQLModel, insert

CONSTRAINT_NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


def now() -> datetime:
    """Return this moment, aware, in UTC."""
    return datetime.now(UTC)


def text_enum(kind: type[StrEnum]) -> Enum:
    """Return the type of a column that keeps an enumeration as text, so that a new value needs no migration."""
    return Enum(kind, native_enum=False, length=16, values_callable=lambda members: [each.value for each in members])


class Table(SQLModel):
    """Base of all tables. One rule names the constraints, so that migrations can refer to them."""

    metadata: ClassVar[MetaData] = MetaData(naming_convention=CONSTRAINT_NAMES)

    def insert(self, session: Session) -> None:
        """Write this row now and set its ``id``.

        The session does not keep the row. Its unit of work takes 1.8 times as long for a single one on SQLite, and 1.2
        times on PostgreSQL (``bench/queries.py``).
        """
        result = session.connection().execute(_insert(type(self)), self.model_dump(exclude={"id"}))
        (self.id,) = result.inserted_primary_key  # type: ignore[misc]  # None only for statements without a row


@cache
def _insert(table: type[Table]) -> Insert:
    return insert(table)
