"""Threads that outlive their errors: work that failed begins again, after a pause that grows."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Backoff:
    """Pauses in seconds. Tests hand in others."""

    first_seconds: float = 0.1
    longest_seconds: float = 5.0

    settled_seconds: float = 10.0
    """Work that has gone on for this long since its last error counts as well again."""


@dataclass(frozen=True)
class ThreadStatus:
    """What can be told of a thread. ``last_error`` is None if it is well."""

    name: str
    is_alive: bool
    last_error: str | None

    @property
    def health(self) -> str:
        """``ok``, or what is wrong."""
        if not self.is_alive:
            return "has ended; restart the server"
        return "ok" if self.last_error is None else f"is started again after {self.last_error}"


class SupervisedThread:
    """Runs ``work`` on a thread of its own until ``stopping`` is set. Work that raises begins again.

    An error is logged once, however often it comes back before the work is well again.

    :param work: returns when it has nothing more to do; it looks at ``stopping`` itself
    """

    def __init__(
        self, name: str, work: Callable[[], None], stopping: threading.Event, backoff: Backoff | None = None
    ) -> None:
        self._name = name
        self._work = work
        self._stopping = stopping
        self._backoff = backoff or Backoff()
        self._last_error: str | None = None
        self._began_at = time.monotonic()
        self._is_pausing = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def join(self) -> None:
        """Wait until the work has ended. The caller has set ``stopping`` before."""
        if self._thread.ident is not None:
            self._thread.join()

    @property
    def status(self) -> ThreadStatus:
        """How the work goes."""
        return ThreadStatus(self._name, self._thread.is_alive(), None if self._is_settled() else self._last_error)

    def _is_settled(self) -> bool:
        return not self._is_pausing and time.monotonic() - self._began_at >= self._backoff.settled_seconds

    def _run(self) -> None:
        pause = self._backoff.first_seconds
        while not self._stopping.is_set():
            self._began_at = time.monotonic()
            self._is_pausing = False
            try:
                self._work()
                return
            except Exception as error:
                if self._is_settled():
                    pause, self._last_error = self._backoff.first_seconds, None
                self._note(error)
            self._is_pausing = True
            self._stopping.wait(pause)
            pause = min(2 * pause, self._backoff.longest_seconds)

    def _note(self, error: Exception) -> None:
        # Of other errors only the class: a database's message names hosts and users, and /readyz is for everybody.
        text = f"{type(error).__name__}: {error.strerror}" if isinstance(error, OSError) else type(error).__name__
        if text != self._last_error:
            log.exception("The thread %s failed; its work begins again.", self._name)
        self._last_error = text
