"""Transactions, of two kinds: reading and writing.

A transaction begins and ends inside one function on one thread, never across two dependencies of a request. Otherwise
requests that hold a connection and wait for a thread could block threads that wait for a connection.

A commit is on the disk before the answer goes out, so an acknowledged submission survives a killed process and a power
cut. PostgreSQL does this by default; ``server/database/sqlite.py`` says how SQLite does it.

What may be lost in a power cut is written with ``durable=False``, which does not wait for the disk: a lease, or a grade
whose ticket would come back with it. It still survives the process.
"""

from __future__ import annotations

import errno
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

from sqlalchemy import Engine, create_engine, make_url
from sqlmodel import Session

from server.database import postgresql, sqlite
from server.database.outage import DISK, FULL, HELD, NO_DESCRIPTORS, DatabaseUnavailable, Outage, translated
from server.database.transaction import BEGUN, Transaction

POOLED_CONNECTIONS = 10
SYNC_ERRORS = {errno.ENOSPC: FULL, errno.EMFILE: NO_DESCRIPTORS, errno.ENFILE: NO_DESCRIPTORS}
CONNECT_SECONDS = 5  # a database that is away must not hold up the threads that ask for it
CONNECTIONS_MAX = 50  # more than all request threads and workers of a process


class Database:
    """Transactions on the database of ``url``. The first one opens it.

    :param write_lock: on SQLite the turn to write, if other processes write as often as this one;
        it raises ``TimeoutError`` if one of them holds it for too long
    """

    def __init__(self, url: str, write_lock: AbstractContextManager[object] | None = None) -> None:
        self.engine = make_engine(url)
        self._joining = self.engine.execution_options(**{BEGUN: True})
        # SQLite has one writer at a time. Threads wait here for their turn; SQLite would let them poll.
        on_sqlite = sqlite.is_dialect(self.engine.dialect)
        self._beginnings = sqlite.BEGINNINGS if on_sqlite else postgresql.BEGINNINGS
        self._write_lock: AbstractContextManager[object] = threading.Lock() if on_sqlite else nullcontext()
        self._outage = Outage()
        self._log = sqlite.WriteAheadLog(f"{self.engine.url.database}-wal") if on_sqlite else None
        if on_sqlite and write_lock is not None:  # processes wait there, as threads do
            self._write_lock = write_lock

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Open a transaction that changes nothing.

        On SQLite it sees one state of the database. On PostgreSQL each statement sees what is committed when it begins.

        :raises DatabaseUnavailable: the database is away, full, …
        """
        with self._watched(), Transaction(self._joining, self._beginnings.reading) as session:
            yield session

    @contextmanager
    def writing(self, *, durable: bool = True) -> Iterator[Session]:
        """Open a transaction that is committed at the end, or rolled back by an exception.

        :raises DatabaseUnavailable: the database is away, full, …
        """
        beginning = self._beginnings.durable if durable else self._beginnings.fast
        with self._watched():
            with self._turn(), Transaction(self._joining, beginning) as session:
                yield session
                session.finish()
            if durable and self._log is not None:
                self._sync(self._log)
        self._outage.end()

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """Hold the turn to write.

        :raises DatabaseUnavailable: another process holds it for too long
        """
        try:
            self._write_lock.__enter__()
        except TimeoutError as error:
            raise DatabaseUnavailable(HELD) from error
        try:
            yield
        finally:
            self._write_lock.__exit__(None, None, None)

    @contextmanager
    def _watched(self) -> Iterator[None]:
        try:
            with translated():
                yield
        except DatabaseUnavailable as outage:
            self._outage.begin(str(outage))
            raise

    def _sync(self, log: sqlite.WriteAheadLog) -> None:
        try:
            log.sync()
        except OSError as error:
            raise DatabaseUnavailable(SYNC_ERRORS.get(error.errno or 0, DISK)) from error

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()


def make_engine(url: str, *, foreign_keys: bool = True) -> Engine:
    """Return an engine for SQLite, or for PostgreSQL through psycopg 3.

    Parameters stay out of error messages, and so out of logs: they hold students' work and digests of tokens.

    :param foreign_keys: False only while a migration replaces tables on SQLite.
    """
    address = make_url(url)
    if address.drivername in ("postgres", "postgresql"):
        address = address.set(drivername="postgresql+psycopg")
    on_sqlite = address.get_backend_name() == "sqlite"
    engine = create_engine(
        address,
        hide_parameters=True,
        pool_pre_ping=not on_sqlite,  # after a restart of the database server, a connection is replaced
        pool_size=POOLED_CONNECTIONS,
        pool_use_lifo=True,  # the one that was used last has pages and statements at hand
        max_overflow=CONNECTIONS_MAX - POOLED_CONNECTIONS,
        connect_args={} if on_sqlite else {"connect_timeout": CONNECT_SECONDS},
    )
    if on_sqlite:
        sqlite.configure(engine, foreign_keys=foreign_keys)
    return engine
