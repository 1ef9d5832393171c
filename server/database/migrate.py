"""Migrations: bring the schema to the newest one, and tell whether it is there."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlmodel import Session

from server.database import dialect, sqlite
from server.database.engine import make_engine
from server.database.outage import translated

MIGRATIONS = Path(__file__).parents[2] / "migrations"
log = logging.getLogger(__name__)
MIGRATION_LOCK = 0x0D0_70  # any number, the same in every server


class BrokenReferences(RuntimeError):
    """A migration left rows whose foreign keys point nowhere. It was rolled back."""


class NewerDatabase(RuntimeError):
    """The database has migrations that this server does not know. The text says what to do."""


def upgrade(url: str, revision: str = "head") -> None:
    """Run the missing migrations in one transaction. Servers that start together take turns.

    :raises NewerDatabase: a newer server has migrated it already
    :raises DatabaseUnavailable: the database is away, full, …
    """
    with migrating(url) as connection:
        scripts = ScriptDirectory.from_config(_config())
        known = {script.revision for script in scripts.walk_revisions()}
        before = _heads(connection)
        unknown = before - known
        if unknown:
            raise NewerDatabase(
                f"The database is of a newer server: it has revision {', '.join(sorted(unknown))}, and this server "
                f"knows none after {', '.join(scripts.get_heads())}. Start the newer server, or restore a backup."
            )
        command.upgrade(_config(connection), revision)
        after = _heads(connection)
        if before and before != after:
            log.info("The database had revision %s and has %s now.", ", ".join(before), ", ".join(after))


def downgrade(url: str, revision: str) -> None:
    """Undo the migrations after ``revision``; ``base`` undoes all."""
    with migrating(url) as connection:
        command.downgrade(_config(connection), revision)


def check(url: str) -> None:
    """Compare the tables with the database.

    :raises alembic.util.CommandError: they differ
    """
    with migrating(url) as connection:
        command.check(_config(connection))


def is_current(session: Session) -> bool:
    """Return whether this database has every migration, and none that this server does not know."""
    heads = ScriptDirectory.from_config(_config()).get_heads()
    return _heads(session.connection()) == set(heads)


def _heads(connection: Connection) -> set[str]:
    return set(MigrationContext.configure(connection).get_current_heads())


@contextmanager
def migrating(url: str) -> Iterator[Connection]:
    """Open a transaction that changes the schema; one process at a time.

    SQLite changes a table by replacing it. With foreign keys on, dropping the old table would delete the rows of
    others. So they are off here, and checked at the end.

    :raises BrokenReferences: a migration broke a foreign key
    :raises DatabaseUnavailable: the database is away, full, …
    """
    engine = make_engine(url, foreign_keys=False)
    if sqlite.is_dialect(engine.dialect):
        sqlite.make_file(Path(engine.url.database or ""))
    try:
        with translated(), engine.execution_options(writing=True).begin() as connection:
            dialect.take_turns(connection, MIGRATION_LOCK)
            yield connection
            if connection.dialect.name == "sqlite":
                broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
                if broken:
                    tables = ", ".join(sorted({row[0] for row in broken}))
                    raise BrokenReferences(f"{len(broken)} rows point nowhere, in {tables}")
    finally:
        engine.dispose()


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config
