"""SQLite: connections, transactions and durability.

SQLite's own ``synchronous=FULL`` makes each commit wait for the disk and holds up every other writer meanwhile.
Therefore:

1. Commits go to the write-ahead log with ``synchronous=NORMAL``, and the next writer may begin.
2. The thread that needs durability calls ``fdatasync`` on the log; one call serves all threads that wait.
3. SQLite reads the log back in order, up to the first gap, so nothing survives without what was committed before it.
"""

from __future__ import annotations

import itertools
import os
import sqlite3
import threading
import time
from contextlib import suppress
from pathlib import Path

from sqlalchemy import Connection, Dialect, Engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry

from server.database.transaction import BEGUN, Beginnings

# A writer takes the write lock at once: a reader that turned writer fails if another wrote in between.
BEGINNINGS = Beginnings(reading=("BEGIN",), durable=("BEGIN IMMEDIATE",), fast=("BEGIN IMMEDIATE",))
BUSY_TIMEOUT_MS = 10_000  # how long a writer waits for a writer of another process


def is_dialect(dialect: Dialect) -> bool:
    """Return whether a dialect is SQLite's."""
    return dialect.name == "sqlite"


def configure(engine: Engine, *, foreign_keys: bool) -> None:
    """Set up every connection and transaction of an engine."""
    event.listen(engine, "connect", _connect_with_foreign_keys if foreign_keys else _connect)
    event.listen(engine, "begin", _begin)


def make_file(path: Path) -> None:
    """Make the file of a database if there is none, for its owner alone. SQLite would let everybody read it.

    It gives its log the same mode.
    """
    with suppress(OSError):  # SQLite meets it, too, and its error is told
        path.touch(0o600, exist_ok=False)


class WriteAheadLog:
    """The log of a database, synchronised to the disk on demand. Thread-safe."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._numbers = itertools.count(1)
        self._newest = 0  # number of the newest call
        self._synced = 0  # calls up to this number are on the disk
        self._lock = threading.Lock()

    def sync(self) -> None:
        """Return when everything committed before this call is on the disk."""
        self._newest = number = next(self._numbers)
        with self._lock:
            if self._synced >= number:
                return  # another thread has just done it for all who waited
            newest = self._newest
            try:
                log = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
            except FileNotFoundError:
                return  # the last connection was closed, and the log was merged into the database
            try:
                os.fdatasync(log)
            finally:
                os.close(log)
            self._synced = newest


def _connect(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    assert isinstance(connection, sqlite3.Connection)
    connection.isolation_level = None  # `_begin` opens transactions, not the driver
    connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
    _use_write_ahead_log(connection)
    connection.execute("PRAGMA synchronous = NORMAL")  # see the module's docstring


def _use_write_ahead_log(connection: sqlite3.Connection) -> None:
    """Switch a new database to WAL.

    ``busy_timeout`` does not cover this lock, and servers that start together ask for it at the same time.
    """
    deadline = time.monotonic() + BUSY_TIMEOUT_MS / 1000
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)


def _connect_with_foreign_keys(connection: DBAPIConnection, entry: ConnectionPoolEntry) -> None:
    _connect(connection, entry)
    assert isinstance(connection, sqlite3.Connection)
    connection.execute("PRAGMA foreign_keys = ON")


def _begin(connection: Connection) -> None:
    options = connection.get_execution_options()
    if not options.get(BEGUN):
        connection.exec_driver_sql("BEGIN IMMEDIATE" if options.get("writing") else "BEGIN")
