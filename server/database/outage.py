"""Outages: the database is away, restarts, is full or may not be written. None of that is a request's fault.

``Database`` and the migrations raise ``DatabaseUnavailable`` for it, whatever the driver said. The texts name no host
and no user, because everybody may read them. An outage is one line in the log, not one for each request.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import psycopg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

AWAY: Final = "it cannot be reached; start it, and look at its log"
FULL: Final = "its disk is full; make room: a server goes on then, a command is typed again"
READ_ONLY: Final = "it cannot be written; give the server's user the rights to it"
BUSY: Final = "it is busy; if that does not end, look at its log"
HELD: Final = "a process of this server holds the turn to write; continue it if it was stopped, or end it"
DAMAGED: Final = "its file is damaged, or no database; restore a backup"
DISK: Final = "its disk reports errors; look at the system's log"
NO_DESCRIPTORS: Final = "this process has no descriptors left; raise its limit: ulimit -n"
REFUSED: Final = "it refuses the user or the password; correct DOJO_DATABASE_URL"
ABSENT: Final = "there is none of that name; create it, or correct DOJO_DATABASE_URL"

# Primary result codes, https://sqlite.org/rescode.html
_SQLITE: Final = {5: BUSY, 6: BUSY, 8: READ_ONLY, 10: DISK, 11: DAMAGED, 13: FULL, 14: READ_ONLY, 15: BUSY, 26: DAMAGED}
# https://www.postgresql.org/docs/current/errcodes-appendix.html, the longest that fits counts
_POSTGRESQL: Final = {
    "08": AWAY,
    "25006": READ_ONLY,
    "28": REFUSED,
    "3D": ABSENT,
    "42501": READ_ONLY,
    "53": BUSY,
    "53100": FULL,
    "55P03": BUSY,
    "57P": AWAY,
    "58": DISK,
}
# A connection that failed has no code, only the server's words.
_WORDS: Final = (("authentication failed", REFUSED), ("does not exist", ABSENT))
_REPEAT_SECONDS: Final = 60.0

log = logging.getLogger(__name__)


class DatabaseUnavailable(RuntimeError):
    """The database cannot be used now. The text says what to do about it, to an operator."""


class Repetitions:
    """Tells what is worth a line in the log: what is new, or was last said a minute ago. Thread-safe."""

    def __init__(self, repeat_seconds: float = _REPEAT_SECONDS) -> None:
        self._repeat_seconds = repeat_seconds
        self._lock = threading.Lock()
        self._last: tuple[str, float] | None = None

    def is_news(self, text: str) -> bool:
        """Return whether to say this."""
        with self._lock:
            now = time.monotonic()
            if self._last is not None and self._last[0] == text and now - self._last[1] < self._repeat_seconds:
                return False
            self._last = (text, now)
            return True

    def end(self) -> bool:
        """Note that it is over; return whether there was anything."""
        with self._lock:
            was, self._last = self._last, None
            return was is not None


class Outage:
    """The outages of one database, in the log. Thread-safe.

    :param quiet_seconds: without a failure for this long it is over. A full disk takes a small row now and then.
    """

    def __init__(self, quiet_seconds: float = 5.0) -> None:
        self._quiet_seconds = quiet_seconds
        self._repetitions = Repetitions()
        self._failed_at: float | None = None

    def begin(self, reason: str) -> None:
        """Note that the database could not be used."""
        self._failed_at = time.monotonic()
        if self._repetitions.is_news(reason):
            log.error("The database cannot be used: %s.", reason)

    def end(self) -> None:
        """Note that something was written."""
        failed_at = self._failed_at
        if failed_at is None or time.monotonic() - failed_at < self._quiet_seconds:
            return
        self._failed_at = None
        if self._repetitions.end():
            log.info("The database can be used again.")


@contextmanager
def translated() -> Iterator[None]:
    """Raise ``DatabaseUnavailable`` in the place of a driver's error that means an outage.

    :raises DatabaseUnavailable: the database is away, full, …
    """
    try:
        yield
    except (DBAPIError, PoolTimeout, sqlite3.Error) as error:
        reason = reason_of(error)
        if reason is None:
            raise
        raise DatabaseUnavailable(reason) from error


def reason_of(error: DBAPIError | PoolTimeout | sqlite3.Error) -> str | None:
    """Return what is wrong with the database; None if the statement was wrong."""
    if isinstance(error, PoolTimeout):
        return BUSY
    cause = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(cause, sqlite3.Error):
        return _SQLITE.get(getattr(cause, "sqlite_errorcode", 0) & 0xFF)
    if not isinstance(cause, psycopg.Error):
        return None
    if cause.sqlstate is not None:
        fitting = [code for code in _POSTGRESQL if cause.sqlstate.startswith(code)]
        return _POSTGRESQL[max(fitting, key=len)] if fitting else None
    if isinstance(cause, psycopg.OperationalError | psycopg.InterfaceError):
        return next((reason for words, reason in _WORDS if words in str(cause)), AWAY)
    return None
