"""A disk that is full, for SQLite: the database may have no page more than it has, and those it has are used."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from sqlalchemy import Connection, event
from sqlmodel import col, delete

from server.database.engine import Database
from server.database.outage import DatabaseUnavailable
from server.tables import InstallationRow

NO_LIMIT = 1_073_741_823
FILLER = "filler "


@contextmanager
def full_disk(database: Database) -> Iterator[None]:
    """Let every transaction of the block find the disk full. There is room again after it."""
    pages = NO_LIMIT

    def limit(connection: Connection) -> None:
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")

    event.listen(database.engine, "begin", limit)
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
