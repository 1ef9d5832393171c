"""The database as a command finds it."""

from __future__ import annotations

from server.database import migrate
from server.database.engine import Database
from server.settings import Settings


def prepared_database(settings: Settings) -> Database:
    """Return the database with the newest schema. A missing secret is made, so that a server can start."""
    settings.make_secret()
    migrate.upgrade(settings.url)
    return Database(settings.url)
