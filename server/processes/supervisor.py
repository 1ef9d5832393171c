"""The supervisor: forks the processes of a server, replaces one that ends, and ends them all in order.

It has one thread, serves nothing, and has imported everything. So a fork is safe, takes milliseconds, and shares the
memory of what was imported. Its children die with it: one that went on would hold the port.

1. Helpers begin first and end last: the processes that run code need their zygote until their runs are over.
2. A process says that it serves. Once the first does, the server can be reached.
3. One that ends is forked again: at once, and after a pause that grows if it lived shortly.
4. One that ends with an exit code before anything served has said what is wrong: then everything ends with its code.
5. SIGTERM or SIGINT: all are asked to end, and killed if they take too long. A second signal kills them at once.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import logging
import os
import select
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NoReturn

from grader.supervision import Backoff

_PR_SET_PDEATHSIG: Final = 1  # prctl(2)
_WAKING: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD)
_KILL_SECONDS: Final = 5.0  # for the kernel, from SIGKILL to the end of a process

log = logging.getLogger(__name__)


class ManyThreads(RuntimeError):
    """A fork would copy one thread of several, with the locks of all."""


@dataclass(frozen=True)
class Program:
    """What a child process does: ``run`` returns its exit code, and is given what it calls once it serves."""

    name: str
    run: Callable[[Callable[[], None]], int]
    is_helper: bool = False


@dataclass
class _Child:
    """A program with its process, if it has one now."""

    program: Program
    pause_seconds: float
    pid: int | None = None
    began_at: float = 0.0
    begin_at: float = 0.0  # when it may be forked again

    def signal(self, number: signal.Signals) -> None:
        if self.pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)


class Supervisor:
    """Runs programs until a signal ends it.

    :param programs: helpers first
    :param on_serving: called once, as soon as a program serves
    :param stop_seconds: how long they may take to end
    """

    def __init__(
        self,
        programs: Sequence[Program],
        on_serving: Callable[[], None],
        stop_seconds: float,
        backoff: Backoff | None = None,
    ) -> None:
        self._backoff = backoff or Backoff()
        self._children = [_Child(program, self._backoff.first_seconds) for program in programs]
        self._on_serving = on_serving
        self._stop_seconds = stop_seconds
        self._is_serving = False
        self._signals: list[int] = []

    def run(self) -> int:
        """Return the exit code once all have ended.

        :raises ManyThreads: this process has other threads
        """
        threads = sum(1 for _ in Path("/proc/self/task").iterdir())
        if threads != 1:
            raise ManyThreads(f"The supervisor has {threads} threads and must have one. Report this as a fault.")
        gc.collect()
        gc.freeze()  # else a collection in a child writes to every object, and copies every page
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._reader, False)
        with _waking() as self._wakeup:
            try:
                code = self._supervise()
            finally:
                self._stop()
        os.close(self._reader)
        os.close(self._writer)
        return code

    def _supervise(self) -> int:
        while not self._is_told_to_stop():
            for child in self._children:
                if child.pid is None and child.begin_at <= time.monotonic():
                    self._fork(child)
            self._wait(min((each.begin_at for each in self._children if each.pid is None), default=None))
            for child, code in self._reap():
                if code > 0 and not self._is_serving and not child.program.is_helper:
                    return code
                self._note_end(child, code)
        return 0

    def _fork(self, child: _Child) -> None:
        parent = os.getpid()
        sys.stdout.flush()
        sys.stderr.flush()
        try:
            pid = os.fork()
        except OSError as error:
            log.error("%s cannot be forked (%s); it is tried again.", child.program.name, error.strerror)
            self._postpone(child)
            return
        if pid == 0:
            self._be(child.program, parent)
        child.pid, child.began_at = pid, time.monotonic()

    def _be(self, program: Program, parent: int) -> NoReturn:
        """Run a program in a fork, and leave without the rest of this process's stack."""
        code = 1
        try:
            signal.set_wakeup_fd(-1)
            for number in _WAKING:
                signal.signal(number, signal.SIG_DFL)
            os.setpgid(0, 0)  # Ctrl-C at the terminal is for the supervisor alone
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() == parent:
                code = program.run(_serve_nobody if program.is_helper else self._note_serving)
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 1
        except BaseException:
            traceback.print_exc()
        finally:
            with contextlib.suppress(BaseException):
                logging.shutdown()
                sys.stdout.flush()
            os._exit(code)

    def _note_serving(self) -> None:
        os.write(self._writer, b"s")

    def _is_told_to_stop(self) -> bool:
        return any(number != signal.SIGCHLD for number in self._signals)

    def _wait(self, until: float | None) -> None:
        """Wait for a signal, for a program that serves, or for a moment."""
        seconds = None if until is None else max(0.0, until - time.monotonic())
        ready, _, _ = select.select([self._wakeup, self._reader], [], [], seconds)
        if self._wakeup in ready:
            self._signals.extend(os.read(self._wakeup, 1024))
        if self._reader in ready and os.read(self._reader, 1024) and not self._is_serving:
            self._is_serving = True
            self._on_serving()

    def _reap(self) -> Iterator[tuple[_Child, int]]:
        """Yield the children that have ended with their exit codes; the number of a signal is negative."""
        for child in self._children:
            if child.pid is not None:
                pid, status = os.waitpid(child.pid, os.WNOHANG)
                if pid:
                    child.pid = None
                    yield child, os.waitstatus_to_exitcode(status)

    def _note_end(self, child: _Child, code: int) -> None:
        reason = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
        log.error("%s %s; it is started again.", child.program.name, reason)
        if time.monotonic() - child.began_at >= self._backoff.settled_seconds:
            child.pause_seconds, child.begin_at = self._backoff.first_seconds, 0.0
        else:
            self._postpone(child)

    def _postpone(self, child: _Child) -> None:
        child.begin_at = time.monotonic() + child.pause_seconds
        child.pause_seconds = min(2 * child.pause_seconds, self._backoff.longest_seconds)

    def _stop(self) -> None:
        """End all programs, then all helpers."""
        self._signals.clear()
        for is_helper in (False, True):
            children = [child for child in self._children if child.program.is_helper is is_helper]
            for child in children:
                child.signal(signal.SIGTERM)
            if not self._wait_for_end(children, self._stop_seconds):
                log.error("Not everything ended in %g s, or you asked twice; the rest is killed.", self._stop_seconds)
                for child in children:
                    child.signal(signal.SIGKILL)
                self._signals.clear()
                self._wait_for_end(children, _KILL_SECONDS)

    def _wait_for_end(self, children: Iterable[_Child], seconds: float) -> bool:
        """Return whether they all ended in time, and nobody was in a hurry."""
        deadline = time.monotonic() + seconds
        while any(child.pid is not None for child in children):
            if time.monotonic() >= deadline or self._is_told_to_stop():
                return False
            self._wait(deadline)
            for _ in self._reap():
                pass
        return True


def _serve_nobody() -> None:
    """What a helper may call: that it works does not mean that the server can be reached."""


@contextmanager
def _waking() -> Iterator[int]:
    """Yield a descriptor from which the numbers of signals can be read as they come."""
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    os.set_blocking(writer, False)
    handlers = {number: signal.signal(number, lambda *_: None) for number in _WAKING}  # without one, nothing is written
    wakeup = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    try:
        yield reader
    finally:
        signal.set_wakeup_fd(wakeup)
        for number, handler in handlers.items():
            signal.signal(number, handler)
        os.close(reader)
        os.close(writer)
