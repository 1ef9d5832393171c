"""Alembic's entry: on the server's connection where it gives one, else on that of the settings."""

from __future__ import annotations

from typing import Any, Literal

import sqlalchemy as sa
from alembic import context
from sqlmodel.sql.sqltypes import AutoString, UTCDateTime

from server.database import migrate
from server.settings import Settings
from server.tables import metadata


def run(connection: sa.Connection) -> None:
    """Compare and migrate; SQLite alters a table by making a new one (batch mode)."""
    context.configure(
        connection=connection,
        target_metadata=metadata,
        render_as_batch=connection.dialect.name == "sqlite",
        render_item=plain_type,
        include_name=is_ours,
    )
    with context.begin_transaction():
        context.run_migrations()


def is_ours(name: str | None, kind: str, parents: Any) -> bool:
    """Leave the tables of procrastinate out of comparisons: they are the library's."""
    return not (kind == "table" and name is not None and name.startswith("procrastinate_"))


def plain_type(kind: str, item: Any, autogen_context: Any) -> str | Literal[False]:
    """Write SQLAlchemy's own types into migrations: history must not move with a library or an enumeration."""
    if kind == "type" and isinstance(item, UTCDateTime):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(item, AutoString | sa.Enum):
        return f"sa.String({item.length})"
    return False


given = context.config.attributes.get("connection")
if given is not None:
    run(given)
else:
    with migrate.migrating(Settings().url) as connection:
        run(connection)
