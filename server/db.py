"""The database: one engine, and two kinds of transaction, reading and writing.

A transaction begins and ends inside one function on one thread, never across two dependencies of a request:
a request that held a connection while it waited for a thread, and threads that waited for connections,
would stop each other.

What is committed survives: a commit is on the disk before the answer goes out, so an acknowledged submission
outlives a killed process and a power cut. PostgreSQL does so by default. For SQLite it is done here: its own
``synchronous=FULL`` would hold up every other writer while the disk is waited for. So it commits into its log
(``synchronous=NORMAL``), lets the next writer in, and then whoever wants to be sure has the log written to the
disk, once for all who wait for that. The log is read back in order and up to the first gap: nothing survives
without what was committed before it.

What may be lost with the power, such as who is at work on what, or a grade whose ticket would be back with it,
is written with ``durable=False``, which spares the wait for the disk: it still outlives the process.
"""

from __future__ import annotations

import itertools
import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry
from sqlmodel import Session

BUSY_TIMEOUT_MS = 10_000  # how long a writer waits for another process's writer on SQLite
MOST_CONNECTIONS = 50  # more than the threads that serve requests (8) and the workers


class Database:
    """Transactions on the database of ``url``; nothing is opened before the first one."""

    def __init__(self, url: str) -> None:
        self.engine = make_engine(url)
        self._writer = self.engine.execution_options(writing=True)
        self._hasty_writer = self.engine.execution_options(writing=True, durable=False)
        # SQLite has one writer at a time. Threads stand in line here; SQLite would let them poll.
        sqlite = self.engine.dialect.name == "sqlite"
        self._turn: AbstractContextManager[object] = threading.Lock() if sqlite else nullcontext()
        self._log = _Log(f"{self.engine.url.database}-wal") if sqlite else None

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A transaction that changes nothing. On SQLite it sees one state of the database, on PostgreSQL each statement
        sees what was committed when it began."""
        with Session(self.engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def writing(self, *, durable: bool = True) -> Iterator[Session]:
        """A transaction that is committed at the end, or rolled back by an exception."""
        engine = self._writer if durable else self._hasty_writer
        with self._turn, Session(engine, expire_on_commit=False) as session, session.begin():
            yield session
        if durable and self._log is not None:
            self._log.sync()

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()


class _Log:
    """SQLite's write-ahead log. Thread-safe."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._numbers = itertools.count(1)
        self._last = 0  # number of the last one who came
        self._synced = 0  # all up to this one are safe
        self._lock = threading.Lock()

    def sync(self) -> None:
        """Return when all that was committed before this call is on the disk."""
        self._last = mine = next(self._numbers)
        with self._lock:
            if self._synced >= mine:
                return  # somebody has just done it for all who waited
            last = self._last
            try:
                log = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
            except FileNotFoundError:
                return  # the last connection was closed, and the log has gone into the database
            try:
                os.fdatasync(log)
            finally:
                os.close(log)
            self._synced = last


def make_engine(url: str, *, foreign_keys: bool = True) -> Engine:
    """An engine for SQLite or PostgreSQL (through psycopg 3). Parameters stay out of error messages and so
    out of logs: they hold students' work and the digests of their tokens."""
    address = make_url(url)
    if address.drivername in ("postgres", "postgresql"):
        address = address.set(drivername="postgresql+psycopg")
    sqlite = address.get_backend_name() == "sqlite"
    engine = create_engine(
        address,
        hide_parameters=True,
        pool_pre_ping=not sqlite,  # a server that was restarted is met with a new connection
        pool_size=10,
        max_overflow=MOST_CONNECTIONS - 10,
    )
    if sqlite:
        event.listen(engine, "connect", _connect_with_foreign_keys if foreign_keys else _connect)
        event.listen(engine, "begin", _begin_sqlite)
    else:
        event.listen(engine, "begin", _begin_postgresql)
    return engine


def _connect(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    assert isinstance(connection, sqlite3.Connection)
    connection.isolation_level = None  # transactions are begun below, not by guesses of the driver
    connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
    _write_ahead(connection)
    connection.execute("PRAGMA synchronous = NORMAL")  # see above


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Switch a new database to WAL; one that has it already is left alone. For this one lock SQLite does not wait
    as ``busy_timeout`` says, and servers that start together ask for it together."""
    patience = time.monotonic() + BUSY_TIMEOUT_MS / 1000
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError:
            if time.monotonic() > patience:
                raise
            time.sleep(0.01)


def _connect_with_foreign_keys(connection: DBAPIConnection, entry: ConnectionPoolEntry) -> None:
    _connect(connection, entry)
    assert isinstance(connection, sqlite3.Connection)
    connection.execute("PRAGMA foreign_keys = ON")


def _begin_sqlite(connection: Connection) -> None:
    # The write lock from the start: a reader that turned writer would fail if another had written in between.
    writing = connection.get_execution_options().get("writing")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")


def _begin_postgresql(connection: Connection) -> None:
    if not connection.get_execution_options().get("durable", True):
        connection.exec_driver_sql("SET LOCAL synchronous_commit TO off")
