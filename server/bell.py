"""The bell: lets a request wait for a grade without holding a thread."""

from __future__ import annotations

import asyncio
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager


class Bell:
    """Rung by whoever stored a grade, on any thread; heard by the requests that wait for that submission."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._listeners: dict[int, list[tuple[asyncio.AbstractEventLoop, asyncio.Event]]] = defaultdict(list)

    def ring(self, submission_id: int) -> None:
        """Wake everybody who waits for this submission."""
        with self._lock:
            for loop, event in self._listeners.get(submission_id, ()):
                loop.call_soon_threadsafe(event.set)

    @contextmanager
    def listening(self, submission_id: int) -> Iterator[asyncio.Event]:
        """An event of the running loop that is set when the bell rings for this submission."""
        listener = (asyncio.get_running_loop(), asyncio.Event())
        with self._lock:
            self._listeners[submission_id].append(listener)
        try:
            yield listener[1]
        finally:
            with self._lock:
                self._listeners[submission_id].remove(listener)
                if not self._listeners[submission_id]:
                    del self._listeners[submission_id]
