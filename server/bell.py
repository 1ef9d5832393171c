"""The bell: lets a request wait for a grade without holding a thread."""

from __future__ import annotations

import asyncio
import threading
from collections import defaultdict, deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

REMEMBERED: Final = 1000


class Bell:
    """Rung by whoever stored a grade, on any thread; heard by the requests that wait for that submission, and by
    those that begin to wait a moment too late: a run takes milliseconds, and the last rings are remembered."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._listeners: dict[int, list[tuple[asyncio.AbstractEventLoop, asyncio.Event]]] = defaultdict(list)
        self._rung: deque[int] = deque(maxlen=REMEMBERED)

    def ring(self, submission_id: int) -> None:
        """Wake everybody who waits for this submission."""
        with self._lock:
            self._rung.append(submission_id)
            for loop, event in self._listeners.get(submission_id, ()):
                loop.call_soon_threadsafe(event.set)

    @contextmanager
    def listening(self, submission_id: int) -> Iterator[asyncio.Event]:
        """An event of the running loop that is set when the bell rings, or has just rung, for this submission."""
        listener = (asyncio.get_running_loop(), asyncio.Event())
        with self._lock:
            self._listeners[submission_id].append(listener)
            if submission_id in self._rung:
                listener[1].set()
        try:
            yield listener[1]
        finally:
            with self._lock:
                self._listeners[submission_id].remove(listener)
                if not self._listeners[submission_id]:
                    del self._listeners[submission_id]
