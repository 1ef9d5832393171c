"""What SQLite and PostgreSQL do differently within a transaction. No other room asks which database it is."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Integer,
    String,
    Table,
    bindparam,
    cast,
    extract,
    func,
    select,
    type_coerce,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import NoResultFound
from sqlalchemy.orm import Mapped
from sqlmodel import Session

from server.database.prepared import Prepared
from server.database.transaction import Transaction

Upsert = sqlite.Insert | postgresql.Insert
ADVISORY_LOCK: Final = Prepared(select(func.pg_advisory_xact_lock(bindparam("lock", type_=BigInteger))))


def name(session: Session) -> str:
    """Return ``sqlite`` or ``postgresql``, as the key of a cached statement."""
    return session.dialect.name if isinstance(session, Transaction) else session.get_bind().dialect.name


def upsert(dialect: str, table: Table) -> Upsert:
    """Return an INSERT of a dialect that has ``on_conflict_do_update`` and ``on_conflict_do_nothing``."""
    return sqlite.insert(table) if dialect == "sqlite" else postgresql.insert(table)


def insert_missing(session: Session, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    """Insert the rows whose key is not in the table yet."""
    session.connection().execute(upsert(name(session), table).on_conflict_do_nothing(), rows)


def lock_row(session: Session, column: Mapped[int], id: int) -> None:
    """Hold the row with this ``id`` until the transaction ends. SQLite has one writer anyway.

    :raises NoResultFound: there is no such row
    """
    if name(session) == "postgresql" and not _lock(column).rows(session, {"id": id}):
        raise NoResultFound(f"There is no {column} {id}.")


@cache
def _lock(column: Mapped[int]) -> Prepared:
    return Prepared(select(column).where(column == bindparam("id")).with_for_update())


def take_turns(connection: Connection | Session, lock: int) -> None:
    """Let transactions with the same number go one after the other. SQLite has one writer anyway."""
    if isinstance(connection, Session):
        if name(connection) == "postgresql":
            ADVISORY_LOCK.rows(connection, {"lock": lock})
    elif connection.dialect.name == "postgresql":
        connection.execute(ADVISORY_LOCK.statement, {"lock": lock})


def minutes_between(dialect: str, earlier: ColumnElement[Any], later: Mapped[Any]) -> ColumnElement[int]:
    """Return the whole minutes from one moment to another."""
    if dialect == "sqlite":
        minutes = (func.julianday(later) - func.julianday(earlier)) * (24 * 60)
    else:
        minutes = extract("epoch", later - earlier) / 60
    return cast(func.round(minutes), Integer)


def utc_text(dialect: str, moment: Mapped[Any]) -> ColumnElement[str]:
    """Return a moment as ``2026-11-26 07:53:00Z``, or NULL."""
    if dialect == "sqlite":  # keeps moments as such text, in UTC
        return type_coerce(moment, String) + "Z"
    return cast(func.timezone("UTC", moment), String) + "Z"
