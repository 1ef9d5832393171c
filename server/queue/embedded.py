"""The embedded engine: threads of the server take the tickets.

If the server has several processes, each has some of the threads. A new ticket wakes an idle thread of the process that
wrote it; if none is idle there, the other processes wake one of theirs.

The transaction that stores a grade takes the next ticket of its thread, too. Under load that saves a transaction a run.
If the process dies just then, the lease of that ticket ends, as any other does.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import event
from sqlmodel import Session

from grader.supervision import SupervisedThread, ThreadStatus
from server.database.engine import Database
from server.database.outage import DatabaseUnavailable
from server.grading.code_runner import CodeRunner
from server.processes.peers import Message, Peers
from server.queue import tickets
from server.queue.background import BackgroundWork
from server.queue.dispatcher import STOPPING, Dispatcher
from server.queue.leases import LeaseKeeper
from server.queue.tickets import Lease
from server.queue.timing import Timing

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Look:
    """A look of a worker for a ticket: the lease, or None; ``seen`` announcements had been made before."""

    lease: Lease | None
    seen: int


class EmbeddedDispatcher(Dispatcher):
    """Grades in threads of this process while its sandbox can run code."""

    def __init__(
        self,
        database: Database,
        code_runner: CodeRunner,
        leases: LeaseKeeper,
        workers: int,
        timing: Timing,
        peers: Peers,
        background: BackgroundWork,
    ) -> None:
        super().__init__(timing)
        self._database = database
        self._code_runner = code_runner
        self._leases = leases
        self._peers = peers
        self._background = background
        self._able = peers.gauge("processes that run code")
        self._lock = threading.Lock()
        self._idle: list[threading.Event] = []  # of workers that wait and that nobody has woken yet
        self._announcements = 0  # a worker that has seen fewer looks again before it waits
        self._stopping = threading.Event()
        self._threads = [
            SupervisedThread(f"worker {number}", self._work, self._stopping) for number in range(1, workers + 1)
        ]

    def start(self) -> None:
        """Begin. Tickets that a dead process ran are taken when their leases end."""
        self._leases.start()
        self._background.start()
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Finish what is running and begin nothing more."""
        self._stopping.set()
        self._leases.stop_waiting()
        self.wake(len(self._threads))
        log.info(STOPPING)
        for thread in self._threads:
            thread.join()
        self._background.stop()
        self._leases.stop()

    def announce(self, session: Session, submission_ids: Sequence[int]) -> None:
        """Wake as many workers as there are submissions, once the transaction is committed."""

        def wake(_: Session) -> None:
            left = self.wake(len(submission_ids))
            if left:
                self._peers.send(Message.TICKETS, left)

        event.listen(session, "after_commit", wake, once=True)

    def announce_background(self, session: Session, work_id: int) -> None:
        """Wake a worker, once the transaction is committed."""
        event.listen(session, "after_commit", lambda _: self._background.expect(), once=True)
        self.announce(session, [work_id])

    def wake(self, count: int) -> int:
        """Have so many workers of this process look for tickets; return for how many of these nobody was idle."""
        with self._lock:
            self._announcements += 1
            woken, self._idle = self._idle[:count], self._idle[count:]
        for idle in woken:
            idle.set()
        return count - len(woken)

    @property
    def refusal(self) -> str | None:
        """The error of this process's sandbox, or None if that of any process can run code."""
        return self._code_runner.unavailable_reason if self._able.others(0) == 0 else None

    def health(self) -> dict[str, str]:
        """Return whether the sandbox of this process works."""
        return {"sandbox": self._code_runner.health}

    def threads(self) -> Sequence[ThreadStatus]:
        """Return how the workers go, the leases and the sandbox."""
        mine = [thread.status for thread in self._threads]
        return [*mine, self._leases.thread, *self._background.threads, *self._code_runner.threads]

    def _work(self) -> None:
        """Grade until this server stops. What came with the last grade is run next, or given back."""
        look: Look | None = None
        while not self._stopping.is_set():
            if not self._is_able():
                self._drop(look)
                look = None
                self._stopping.wait(self._timing.inspect_again_seconds)
                self._code_runner.inspect()
                continue
            look = look or self._look_now()
            if look.lease is not None:
                look = self._leases.grade(look.lease, self._look).next
                continue
            if not self._background.work_next():
                self._wait(look.seen)
            look = None
        self._drop(look)

    def _is_able(self) -> bool:
        is_able = self._code_runner.is_ready()
        self._able.set(0, is_able)
        return is_able

    def _drop(self, look: Look | None) -> None:
        """Give a ticket back that cannot be run here any more."""
        if look is not None and look.lease is not None:
            self._leases.return_unused(look.lease)

    def _look_now(self) -> Look:
        """Take a ticket; there is none if the database cannot be used."""
        seen = self._announcements
        try:
            with self._database.writing(durable=False) as session:
                return self._look(session)
        except DatabaseUnavailable:
            return Look(None, seen)

    def _look(self, session: Session) -> Look:
        seen = self._announcements
        if self._stopping.is_set():
            return Look(None, seen)
        return Look(tickets.take(session, self._timing.lease_seconds), seen)

    def _wait(self, seen: int) -> None:
        """Wait until somebody wakes this worker, or for a while; not at all if an announcement was made since."""
        woken = threading.Event()
        with self._lock:
            if self._stopping.is_set() or self._announcements > seen:
                return
            self._idle.append(woken)
        if not woken.wait(self._timing.look_again_seconds):
            with self._lock:
                if woken in self._idle:
                    self._idle.remove(woken)
