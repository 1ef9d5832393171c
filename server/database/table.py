"""The base of all tables.

Times are aware and in UTC on both databases. An ``id`` is typed as the integer that it is in every row; only an
object that was not written yet has none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from functools import cache, partial
from typing import Any, ClassVar, Self, cast

from pydantic.fields import FieldInfo
from sqlalchemy import ColumnElement, Enum, MetaData, inspect
from sqlmodel import Session, SQLModel, insert

from server.database.prepared import Prepared

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

    @classmethod
    def column_names(cls) -> tuple[str, ...]:
        """Return the names of the columns, in the order in which a statement that selects the table gives them."""
        return tuple(_columns(cls))

    @classmethod
    def loaded(cls, values: Iterable[tuple[str, Any]]) -> Self:
        """Return a row with these values, one for each column, as if it was read. No session keeps it.

        The constructor takes 20 times as long, because SQLAlchemy notes each value as a change.
        """
        row: Self = _manager(cls).new_instance()
        row.__dict__.update(values)
        return row

    def insert(self, session: Session) -> None:
        """Write this row now and set its ``id``.

        The session does not keep the row: its unit of work takes longer (``bench/queries.py``).
        """
        self.id = _insert(type(self)).scalar(session, self.model_dump(exclude={"id"}))

    @classmethod
    def write(cls, session: Session, values: Mapping[str, Any]) -> Self:
        """Write a row with these values now, and return it with its ``id``. Columns without a value have their default.

        The session does not keep the row. No object is made before it is written, which takes longer than writing it
        (``bench/queries.py``).
        """
        row = dict(values)
        for name, default in _defaults(cls):
            if name not in row:
                row[name] = default()
        row["id"] = _insert(cls).scalar(session, row)
        return cls.loaded(row.items())


@cache
def _manager(table: type[Table]) -> Any:
    return inspect(table).class_manager


@cache
def _defaults(table: type[Table]) -> list[tuple[str, Callable[[], Any]]]:
    """Return what makes the default of each column. ``FieldInfo`` looks at its factory's signature each time."""
    return [(name, _default(field)) for name, field in table.model_fields.items() if name != "id"]


def _default(field: FieldInfo) -> Callable[[], Any]:
    if field.default_factory is not None:
        return cast(Callable[[], Any], field.default_factory)
    return partial(field.get_default)


@cache
def _insert(table: type[Table]) -> Prepared:
    columns = [name for name in _columns(table) if name != "id"]
    return Prepared(insert(table).returning(_columns(table)["id"]), columns)


def _columns(table: type[Table]) -> Mapping[str, ColumnElement[Any]]:
    return {each.name: each for each in table.metadata.tables[str(table.__tablename__)].columns}
