"""The database's schema: brought to the newest migration, and asked whether it is there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlmodel import Session

from server.db import make_engine

MIGRATIONS = Path(__file__).parents[1] / "migrations"
LOCK = 0x0D0_70  # any number, the same in every server


class BrokenReferences(RuntimeError):
    """A migration left rows that point nowhere; it was rolled back."""


def upgrade(url: str, to: str = "head") -> None:
    """Run the migrations that are missing, all in one transaction. Servers that start together take turns."""
    with migrating(url) as connection:
        command.upgrade(_config(connection), to)


def downgrade(url: str, to: str) -> None:
    """Undo migrations down to a revision, or ``base``."""
    with migrating(url) as connection:
        command.downgrade(_config(connection), to)


def check(url: str) -> None:
    """Compare the models with the database; raises alembic's CommandError where they differ."""
    with migrating(url) as connection:
        command.check(_config(connection))


def is_current(session: Session) -> bool:
    """Whether every migration has been run on this database, and none that this server does not know."""
    heads = ScriptDirectory.from_config(_config()).get_heads()
    return set(MigrationContext.configure(session.connection()).get_current_heads()) == set(heads)


@contextmanager
def migrating(url: str) -> Iterator[Connection]:
    """A transaction to change the schema in, held by one process at a time.

    SQLite changes a table by making another and dropping the old one, which with foreign keys on would take
    other tables' rows along: they are off here, and checked at the end.
    """
    engine = make_engine(url, foreign_keys=False)
    try:
        with engine.execution_options(writing=True).begin() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
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
