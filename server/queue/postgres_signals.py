"""Signals between processes, by PostgreSQL's NOTIFY.

A lost notification delays a waiter by at most 2 s: waiters also poll.
"""

from __future__ import annotations

import logging
import threading
from contextlib import suppress

import psycopg
from sqlalchemy import text

from grader.supervision import SupervisedThread, ThreadStatus
from server.database.engine import Database
from server.database.outage import DatabaseUnavailable, Repetitions
from server.database.postgresql import connection_string
from server.grading.grade import FreshGrade
from server.queue.signals import Signals
from server.queue.timing import Timing

CHANNEL = "dojo_graded"

log = logging.getLogger(__name__)


class PostgresNotifier:
    """Sends signals to every process that listens on this database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def notify(self, submission_id: int, _: FreshGrade | None) -> None:
        """Tell the servers that this submission is graded or was given back. They read its grade."""
        message = {"channel": CHANNEL, "id": str(submission_id)}
        with suppress(DatabaseUnavailable), self._database.writing(durable=False) as session:
            session.connection().execute(text("SELECT pg_notify(:channel, :id)"), message)


class PostgresListener:
    """A thread that passes notifications on to the signals of this process."""

    def __init__(self, url: str, signals: Signals, timing: Timing) -> None:
        self._connection_string = connection_string(url)
        self._signals = signals
        self._timing = timing
        self._repetitions = Repetitions()
        self._stopping = threading.Event()
        self._thread = SupervisedThread("listener", self._listen, self._stopping)

    @property
    def thread(self) -> ThreadStatus:
        """How the thread goes."""
        return self._thread.status

    def start(self) -> None:
        """Begin to listen."""
        self._thread.start()

    def stop(self) -> None:
        """Stop listening."""
        self._stopping.set()
        self._thread.join()

    def _listen(self) -> None:
        while not self._stopping.is_set():
            try:
                with psycopg.connect(self._connection_string, autocommit=True) as connection:
                    connection.execute(f"LISTEN {CHANNEL}")
                    self._repetitions.end()
                    while not self._stopping.is_set():
                        for message in connection.notifies(timeout=self._timing.listen_seconds):
                            self._signals.notify(int(message.payload))
            except psycopg.Error as error:
                if self._repetitions.is_news(type(error).__name__):
                    log.warning("Not listening to the database (%s); trying again.", type(error).__name__)
                self._stopping.wait(self._timing.reconnect_seconds)
