"""A disk that is full.

SQLite's database may have no page more than it has, and those it has are used. PostgreSQL only says that it is full:
statements that write fail.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Self

from psycopg import Cursor
from psycopg.errors import DiskFull
from sqlalchemy import event
from sqlmodel import col, delete

from server.database.engine import Database
from server.database.outage import DatabaseUnavailable
from server.tables import InstallationRow

NO_LIMIT = 1_073_741_823
FILLER = "filler "
WRITES = ("INSERT", "UPDATE", "WITH")  # a DELETE needs no room


@contextmanager
def full_disk(database: Database) -> Iterator[None]:
    """Let every transaction of the block find the disk full. There is room again after it."""
    with (_full_sqlite if database.engine.dialect.name == "sqlite" else _full_postgresql)(database):
        yield


@contextmanager
def _full_postgresql(database: Database) -> Iterator[None]:
    is_full = True

    class Refusing(Cursor[Any]):
        """A cursor that finds the disk full."""

        def execute(self, query: Any, *arguments: Any, **more: Any) -> Self:
            """Refuse a statement that writes, and execute any other."""
            if is_full and str(query).lstrip().upper().startswith(WRITES):
                raise DiskFull("could not extend file: No space left on device")
            return super().execute(query, *arguments, **more)

        def executemany(self, query: Any, *arguments: Any, **more: Any) -> None:
            """Refuse a statement that writes, and execute any other."""
            if is_full:
                raise DiskFull("could not extend file: No space left on device")
            super().executemany(query, *arguments, **more)

    def watch(connection: Any, *_: Any) -> None:
        connection.cursor_factory = Refusing

    event.listen(database.engine, "checkout", watch)
    try:
        yield
    finally:
        is_full = False


@contextmanager
def _full_sqlite(database: Database) -> Iterator[None]:
    pages = NO_LIMIT

    def limit(connection: Any, *_: Any) -> None:
        connection.execute(f"PRAGMA max_page_count = {pages}")

    event.listen(database.engine, "checkout", limit)
    with database.engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
    with suppress(DatabaseUnavailable):
        for number in itertools.count():
            with database.writing() as session:
                session.add(InstallationRow(name=f"{FILLER}{number}", value="x" * 3000))
    try:
        yield
    finally:
        pages = NO_LIMIT
        with database.writing() as session:
            session.exec(delete(InstallationRow).where(col(InstallationRow.name).startswith(FILLER)))
