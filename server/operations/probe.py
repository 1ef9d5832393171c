"""Whether the database takes what is written: a full disk answers every question, and keeps nothing."""

from __future__ import annotations

import threading
import time
import uuid
from typing import Annotated, Final

from fastapi import Depends, Request
from sqlmodel import col, delete

from server.database.engine import Database
from server.database.outage import DatabaseUnavailable
from server.tables import InstallationRow

PROBE: Final = "probe "
PROBE_BYTES: Final = 32 * 1024  # about a grade: a few new pages, so that the room of old ones does not do
OK: Final = "ok"


class WriteProbe:
    """Writes a little now and then, and takes it away again. Thread-safe.

    :param fresh_seconds: how long a good result holds: strangers may ask, and must not make the disk write
    """

    def __init__(self, database: Database, fresh_seconds: float = 5.0) -> None:
        self._database = database
        self._fresh_seconds = fresh_seconds
        self._lock = threading.Lock()
        self._tried_at = float("-inf")
        self._result = OK

    def result(self) -> str:
        """Return ``ok``, or why nothing can be written."""
        with self._lock:
            if time.monotonic() - self._tried_at >= (self._fresh_seconds if self._result == OK else 1.0):
                self._result = self._try()
                self._tried_at = time.monotonic()
            return self._result

    def _try(self) -> str:
        name = f"{PROBE}{uuid.uuid4().hex}"
        try:
            with self._database.writing(durable=False) as session:
                session.add(InstallationRow(name=name, value="x" * PROBE_BYTES))
            with self._database.writing(durable=False) as session:
                session.exec(delete(InstallationRow).where(col(InstallationRow.name).startswith(PROBE)))
        except DatabaseUnavailable as outage:
            return str(outage)
        return OK


async def write_probe(request: Request) -> WriteProbe:
    """Return the application's probe."""
    value = request.app.state.write_probe
    assert isinstance(value, WriteProbe)
    return value


TheWriteProbe = Annotated[WriteProbe, Depends(write_probe)]
