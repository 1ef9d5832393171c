"""The embedded engine: threads of the server take the tickets.

If the server has several processes, each has some of the threads. A new ticket wakes an idle thread of the process that
wrote it; if none is idle there, the other processes wake one of theirs.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence

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
from server.queue.timing import Timing

log = logging.getLogger(__name__)


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
        while not self._stopping.is_set():
            is_able = self._code_runner.is_ready()
            self._able.set(0, is_able)
            if not is_able:
                self._stopping.wait(self._timing.inspect_again_seconds)
                self._code_runner.inspect()
                continue
            seen = self._announcements
            if not self._grade_next() and not self._background.work_next():
                self._wait(seen)

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

    def _grade_next(self) -> bool:
        """Take a ticket and grade it; return False if there was none, or the database cannot be used."""
        try:
            with self._database.writing(durable=False) as session:
                lease = tickets.take(session, self._timing.lease_seconds)
        except DatabaseUnavailable:
            return False
        if lease is not None:
            self._leases.grade(lease)
        return lease is not None
