"""When somebody was last seen in a course: written beside the requests, at most once in some minutes for each seat."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Final

from fastapi import Request
from sqlalchemy import or_, update
from sqlmodel import col

from server.database.engine import Database
from server.database.outage import DatabaseUnavailable
from server.database.table import now
from server.tables import SeatRow

PAUSE_SECONDS: Final = 600
SEATS_REMEMBERED_MAX: Final = 100_000

SeatKey = tuple[int, int]  # course, account


class LastSeen:
    """Remembers which seats this process has written, so that a request seldom writes.

    A transaction of its own writes, after that of the request and without waiting for the disk.
    """

    def __init__(self, database: Database, clock: Callable[[], float] = time.monotonic) -> None:
        self._database = database
        self._clock = clock
        self._written: dict[SeatKey, float] = {}
        self._lock = threading.Lock()

    def note(self, course_id: int, account_id: int) -> None:
        """Write that somebody is here, unless that was written some minutes ago. A database that fails is no error."""
        if not self._is_due((course_id, account_id)):
            return
        moment = now()
        long_ago = moment - timedelta(seconds=PAUSE_SECONDS)
        seen_at = col(SeatRow.last_seen_at)
        statement = (
            update(SeatRow)
            .where(
                col(SeatRow.course_id) == course_id,
                col(SeatRow.account_id) == account_id,
                or_(seen_at.is_(None), seen_at < long_ago),  # another process may have written it
            )
            .values(last_seen_at=moment)
        )
        try:
            with self._database.writing(durable=False) as session:
                session.connection().execute(statement)
        except DatabaseUnavailable:
            pass  # it is in the log, and the request itself may only read

    def _is_due(self, seat: SeatKey) -> bool:
        moment = self._clock()
        written_at = self._written.get(seat)
        if written_at is not None and moment - written_at < PAUSE_SECONDS:
            return False
        with self._lock:
            if len(self._written) >= SEATS_REMEMBERED_MAX:
                self._written = {
                    each: written for each, written in self._written.items() if moment - written < PAUSE_SECONDS
                }
            self._written[seat] = moment
        return True


def last_seen_of(request: Request) -> LastSeen:
    """Return what the application remembers of who was seen."""
    value = request.app.state.last_seen
    assert isinstance(value, LastSeen)
    return value
