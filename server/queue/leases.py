"""Leases: a claimed ticket is graded or given back, and its lease is renewed meanwhile."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from sqlmodel import Session

from grader.sandbox.job import SandboxExhausted, SandboxFault
from grader.supervision import SupervisedThread, ThreadStatus
from server.database.engine import Database
from server.database.outage import DatabaseUnavailable
from server.grading.code_runner import CodeRunner
from server.grading.grade import FreshGrade, Grading
from server.metrics import Metrics
from server.queue import tickets
from server.queue.tickets import Lease
from server.queue.timing import Timing

Next = TypeVar("Next")
Notify = Callable[[int, FreshGrade | None], None]

log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class _Run:
    """A run of this process; ``since`` is on the monotonic clock.

    Two may be of one ticket: another thread tries a lost run again at once, and another slot takes an ended lease.
    """

    ticket_id: int
    since: float


@dataclass(frozen=True)
class Again:
    """A run that is to come again: after how many seconds, and at which rank, or at its old one."""

    seconds: float
    rank: int | None = None


@dataclass(frozen=True)
class Ended(Generic[Next]):
    """A run that is over: it comes ``again``, or has a grade, or neither, if its ticket is set aside or gone.

    ``next`` is what was taken in the transaction that stored the grade; None if none was stored.
    """

    again: Again | None = None
    fresh: FreshGrade | None = None
    next: Next | None = None


class LeaseKeeper:
    """Grades claimed tickets and renews the leases of long runs. Thread-safe.

    ``notify`` is called with a submission's id when its run is over, and with its grade if it was stored now.
    """

    def __init__(
        self,
        database: Database,
        grading: Grading,
        code_runner: CodeRunner,
        notify: Notify,
        timing: Timing,
        metrics: Metrics,
    ) -> None:
        self._database = database
        self._grading = grading
        self._code_runner = code_runner
        self._notify = notify
        self._timing = timing
        self._faults = metrics.faults
        self._runs: set[_Run] = set()
        self._stopping = threading.Event()
        self._giving_up = threading.Event()
        self._renewer = SupervisedThread("renewer", self._renew_long_runs, self._stopping)

    @property
    def thread(self) -> ThreadStatus:
        """How the thread goes that renews leases."""
        return self._renewer.status

    def start(self) -> None:
        """Begin to renew leases."""
        self._renewer.start()

    def stop_waiting(self) -> None:
        """Wait for a database that is away no longer. What is not stored then is graded again by the next server."""
        self._giving_up.set()

    def stop(self) -> None:
        """Stop renewing leases."""
        self._giving_up.set()
        self._stopping.set()
        self._renewer.join()

    def grade(self, lease: Lease, take_next: Callable[[Session], Next] | None = None) -> Ended[Next]:
        """Grade the submission of a ticket; it comes again if the run was lost or took too long.

        A grade that the database does not take is no lost run: it waits until the database takes it.

        :param take_next: called at the end of the transaction that stores the grade.
        """
        run = _Run(lease.ticket_id, time.monotonic())
        self._runs.add(run)
        ended: Ended[Next] = Ended()
        try:
            ended = self._grade(lease, take_next)
            return ended
        finally:
            self._runs.discard(run)
            self._notify(lease.submission_id, ended.fresh)

    def return_unused(self, lease: Lease) -> None:
        """Give a ticket back that was not run. It is no try."""
        self._give_back(lease, "", blameless=True)

    def _grade(self, lease: Lease, take_next: Callable[[Session], Next] | None) -> Ended[Next]:
        look_seconds = self._timing.look_seconds if lease.tries == 1 else None
        while True:
            try:
                finished = self._grading.grade_submission(
                    lease.submission_id, look_seconds, lease.submission, take_next
                )
                if finished is None:
                    return Ended(self._put_back(lease))
                return Ended(None, finished.fresh, finished.next)
            except DatabaseUnavailable as outage:
                self._count(outage)
                if self._giving_up.wait(self._timing.database_retry_seconds):
                    return Ended(self._give_back(lease, "", blameless=True))
            except Exception as error:
                self._count(error)
                # A fault of the sandbox says what it is; of anything else, the place is needed.
                trace = None if isinstance(error, SandboxFault) else error
                log.error(
                    "Submission %d could not be graded, try %d: %s",
                    lease.submission_id,
                    lease.tries,
                    error,
                    exc_info=trace,
                )
                # A run that was lost because no code can be run here does not count.
                blameless = self._code_runner.inspect() is not None or isinstance(error, SandboxExhausted)
                return Ended(self._give_back(lease, str(error), blameless=blameless))

    def _count(self, fault: Exception) -> None:
        self._faults.labels(type(fault).__name__).inc()

    def _put_back(self, lease: Lease) -> Again | None:
        with self._database.writing() as session:
            rank = tickets.put_back(session, lease, self._timing.put_back_seconds)
        return None if rank is None else Again(0.0, rank)

    def _give_back(self, lease: Lease, reason: str, *, blameless: bool) -> Again | None:
        again = Again(self._timing.retry_seconds * lease.tries)
        while True:
            try:
                with self._database.writing() as session:
                    given = tickets.give_back(session, lease, reason, self._timing.retry_seconds, blameless=blameless)
                    return again if given else None
            except DatabaseUnavailable:
                if self._giving_up.wait(self._timing.database_retry_seconds):
                    return again

    def _renew_long_runs(self) -> None:
        while not self._stopping.wait(self._timing.renew_seconds):
            before = time.monotonic() - self._timing.renew_seconds
            ids = [run.ticket_id for run in self._runs.copy() if run.since <= before]
            with contextlib.suppress(DatabaseUnavailable):  # nobody else can take the tickets either
                if ids:
                    with self._database.writing(durable=False) as session:
                        tickets.renew(session, ids, self._timing.lease_seconds)
                self._forgive_the_clock()

    def _forgive_the_clock(self) -> None:
        """Make tickets due that no lease and no pause puts so far away: the clock was put back since."""
        with self._database.reading() as session:
            is_wrong = tickets.is_due_late(session, self._timing.due_seconds_max)
        if is_wrong:
            with self._database.writing(durable=False) as session:
                count = tickets.make_due(session, self._timing.due_seconds_max)
            log.warning("The clock was put back: %d tickets that waited for a later time are due now.", count)
