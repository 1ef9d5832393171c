"""Databases with all tables: copies of one that was migrated, because migrating takes longer than most tests."""

from __future__ import annotations

import shutil
from pathlib import Path

import psycopg
from sqlalchemy import make_url

from server.database import migrate

TEMPLATE = "dojo_migrated"


class Migrated:
    """Fills empty databases. The first of each kind is migrated; the others are copies."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "dojo.db"
        self._servers: set[str] = set()  # that have the template
        self._filled: set[str] = set()

    def fill(self, url: str) -> None:
        """Give a database that is empty, or not there yet, its tables. One that was filled before stays as it is."""
        if url in self._filled:
            return
        self._filled.add(url)
        name = make_url(url).database
        assert name is not None
        if url.startswith("sqlite"):
            if not self._file.exists():
                migrate.upgrade(f"sqlite:///{self._file}")
            shutil.copy(self._file, name)
            return
        server = url.replace(f"/{name}?", "/postgres?")
        with psycopg.connect(server, autocommit=True) as connection:
            if server not in self._servers:
                connection.execute(f"CREATE DATABASE {TEMPLATE}")
                migrate.upgrade(url.replace(f"/{name}?", f"/{TEMPLATE}?"))
                self._servers.add(server)
            connection.execute(f"DROP DATABASE IF EXISTS {name}")
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
