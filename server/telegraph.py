"""The telegraph: a bell that is heard in other processes, by PostgreSQL's NOTIFY.

A message that gets lost, with a connection or with the process that wanted to send it, costs its listener a few
seconds and nothing else: who waits looks for themselves now and then.
"""

from __future__ import annotations

import logging
import threading

import psycopg
from sqlalchemy import make_url, text
from sqlalchemy.exc import SQLAlchemyError

from server.bell import Bell
from server.db import Database
from server.timing import Timing

CHANNEL = "dojo_graded"

log = logging.getLogger(__name__)


class Telegraph:
    """Rings in every process that listens to this database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def ring(self, submission_id: int) -> None:
        """Let the servers know that this submission is done with."""
        message = {"channel": CHANNEL, "id": str(submission_id)}
        try:
            with self._database.writing(durable=False) as session:
                session.connection().execute(text("SELECT pg_notify(:channel, :id)"), message)
        except SQLAlchemyError as error:
            log.warning("Submission %d was not rung for (%s).", submission_id, type(error).__name__)


class Receiver:
    """A thread that rings the bell of this process for what comes in."""

    def __init__(self, url: str, bell: Bell, timing: Timing) -> None:
        self._timing = timing
        self._conninfo = conninfo(url)
        self._bell = bell
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._receive, name="telegraph", daemon=True)

    def start(self) -> None:
        """Begin to listen."""
        self._thread.start()

    def stop(self) -> None:
        """Listen no more."""
        self._stopping.set()
        self._thread.join()

    def _receive(self) -> None:
        while not self._stopping.is_set():
            try:
                with psycopg.connect(self._conninfo, autocommit=True) as connection:
                    connection.execute(f"LISTEN {CHANNEL}")
                    while not self._stopping.is_set():
                        for message in connection.notifies(timeout=self._timing.listen_seconds):
                            self._bell.ring(int(message.payload))
            except psycopg.Error as error:
                log.warning("Not listening to the database (%s); it is tried again.", type(error).__name__)
                self._stopping.wait(self._timing.reconnect_seconds)


def conninfo(url: str) -> str:
    """A database's address as psycopg and procrastinate take it. It holds a password: never to be printed."""
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
