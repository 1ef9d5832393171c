"""Signals: let a request wait for a grade without holding a thread."""

from __future__ import annotations

import asyncio
import threading
from collections import defaultdict, deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from server.grading.grade import FreshGrade
from server.processes.peers import Message, Peers

REMEMBERED_SIGNALS: Final = 1000


class Signal(asyncio.Event):
    """Set when something became of a submission. ``grade`` is its grade, if this process has stored it meanwhile."""

    grade: FreshGrade | None = None


class Signals:
    """Wake the requests that wait for a submission. Thread-safe.

    It remembers the last 1,000 submissions: a run takes milliseconds, and a late waiter returns at once. A grade is
    kept for those alone who wait already.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiters: dict[int, list[tuple[asyncio.AbstractEventLoop, Signal]]] = defaultdict(list)
        self._recent: deque[int] = deque(maxlen=REMEMBERED_SIGNALS)

    @property
    def waiting(self) -> int:
        """How many requests wait."""
        with self._lock:
            return sum(map(len, self._waiters.values()))

    def notify(self, submission_id: int, grade: FreshGrade | None = None) -> None:
        """Wake everybody who waits for this submission, and hand them its grade."""
        with self._lock:
            self._recent.append(submission_id)
            for loop, signal in self._waiters.get(submission_id, ()):
                signal.grade = grade
                loop.call_soon_threadsafe(signal.set)

    @contextmanager
    def listening(self, submission_id: int) -> Iterator[Signal]:
        """Open an event of the running loop that is set by a signal for this submission, also by a recent one."""
        waiter = (asyncio.get_running_loop(), Signal())
        with self._lock:
            self._waiters[submission_id].append(waiter)
            if submission_id in self._recent:
                waiter[1].set()
        try:
            yield waiter[1]
        finally:
            with self._lock:
                self._waiters[submission_id].remove(waiter)
                if not self._waiters[submission_id]:
                    del self._waiters[submission_id]


class PeerNotifier:
    """Sends signals to every process of this server."""

    def __init__(self, signals: Signals, peers: Peers) -> None:
        self._signals = signals
        self._peers = peers

    def notify(self, submission_id: int, grade: FreshGrade | None) -> None:
        """Tell all processes that this submission is graded or was given back. Only this one gets its grade."""
        self._signals.notify(submission_id, grade)
        self._peers.send(Message.GRADED, submission_id)
