"""A turn: a ticket that was leased is graded, or given back."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from server.db import Database
from server.dispatch import tickets
from server.dispatch.tickets import Lease
from server.grading import Grading
from server.timing import Timing
from server.workshop import Workshop

log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class _Running:
    """A run that goes on here. Two may be of one ticket: a lost run is tried again by another thread at once, and a
    lease that ran out is taken by another lane."""

    ticket_id: int
    since: float  # by the monotonic clock


class Turns:
    """Sees tickets through, and keeps the leases of those that take longer than most. Thread-safe."""

    def __init__(
        self, database: Database, grading: Grading, workshop: Workshop, ring: Callable[[int], None], timing: Timing
    ) -> None:
        self._timing = timing
        self._database = database
        self._grading = grading
        self._workshop = workshop
        self._ring = ring
        self._running: set[_Running] = set()
        self._ended = threading.Event()
        self._renewer = threading.Thread(target=self._renew, name="renewer", daemon=True)

    def begin(self) -> None:
        """Begin to keep leases."""
        self._renewer.start()

    def end(self) -> None:
        """Keep no more leases."""
        self._ended.set()

    def see_through(self, lease: Lease) -> bool:
        """Grade what a ticket is for; False where the run was lost, and will be tried again after a pause."""
        running = _Running(lease.ticket_id, time.monotonic())
        self._running.add(running)
        try:
            self._grading.grade_submission(lease.submission_id)
        except Exception as error:
            log.exception("Submission %d could not be graded, try %d", lease.submission_id, lease.tries)
            # A run that was lost because no code can be run does not count.
            blameless = self._workshop.inspect() is not None
            with self._database.writing() as session:
                retry_seconds = self._timing.retry_seconds
                return not tickets.give_back(session, lease, str(error), retry_seconds, blameless=blameless)
        finally:
            self._running.discard(running)
            self._ring(lease.submission_id)
        return True

    def _renew(self) -> None:
        while not self._ended.wait(self._timing.renew_seconds):
            old = time.monotonic() - self._timing.renew_seconds
            ids = [running.ticket_id for running in self._running.copy() if running.since <= old]
            if ids:
                try:
                    with self._database.writing(durable=False) as session:
                        tickets.renew(session, ids, self._timing.lease_seconds)
                except Exception:
                    log.exception("Leases could not be renewed; it is tried again.")
