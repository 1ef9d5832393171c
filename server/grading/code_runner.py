"""The sandbox of a process, and whether it may run code now."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import Annotated

from fastapi import Depends, Request

from exercises.instance import freeze
from grader.sandbox import Job, RunStatus, Sandbox, SandboxFault
from grader.sandbox.trusted.doctor import Report, examine
from grader.supervision import ThreadStatus

EMPTY_PROGRAM = Job(source="", filename="empty.py", state=freeze({}), slots=())
STARTING = "is being started"
CLOSED = "the sandbox has been closed"

log = logging.getLogger(__name__)


class CodeRunner:
    """Opens the sandbox at the first inspection, and shows every new zygote to the doctor.

    If the sandbox cannot be opened, or the doctor finds a lock that does not hold, no code is run. After
    ``examine_again_seconds`` the doctor looks again. The server goes on: tensors need no sandbox.
    """

    def __init__(
        self,
        open_sandbox: Callable[[], Sandbox],
        examine: Callable[[Sandbox], Report] = examine,
        examine_again_seconds: float = 10.0,
    ) -> None:
        self._open_sandbox = open_sandbox
        self._examine = examine
        self._examine_again_seconds = examine_again_seconds
        self._examined_at = 0.0
        self._sandbox: Sandbox | None = None
        self._examined_generation = 0
        self._findings: str | None = None
        self._is_inspected = False
        self._unavailable_reason: str | None = None
        self._lock = threading.Lock()

    @property
    def sandbox(self) -> Sandbox:
        """The sandbox.

        :raises SandboxFault: there is none
        """
        if self._sandbox is None:
            raise SandboxFault(self._unavailable_reason)
        return self._sandbox

    @property
    def unavailable_reason(self) -> str | None:
        """Why the last inspection found that code cannot be run; None if it can, or before the first inspection."""
        return self._unavailable_reason

    @property
    def health(self) -> str:
        """``ok``, or why no code is run now."""
        return self._unavailable_reason or ("ok" if self._is_inspected else STARTING)

    @property
    def threads(self) -> Sequence[ThreadStatus]:
        """How the thread of the sandbox goes; empty before the first inspection."""
        sandbox = self._sandbox
        return [] if sandbox is None else sandbox.threads

    def is_ready(self) -> bool:
        """Return whether code may be run now, after an inspection if the zygote is new."""
        if not self._is_inspected or (self._sandbox and self._sandbox.generation != self._examined_generation):
            self.inspect()
        return self._unavailable_reason is None

    def inspect(self) -> str | None:
        """Examine a new zygote and run an empty program; return why code cannot be run, or None if it can."""
        with self._lock:
            reason = self._inspect()
            if reason is not None and reason != self._unavailable_reason:
                log.error("Code cannot be run: %s", reason)
            elif reason is None and (self._unavailable_reason is not None or not self._is_inspected):
                log.info("Code can be run.")
            self._unavailable_reason, self._is_inspected = reason, True
            return reason

    def examine_now(self) -> Report:
        """Let the doctor try every lock again, whatever was found before; it takes about a second.

        :raises SandboxFault: there is no sandbox in this process
        """
        with self._lock:
            return self._examine(self.sandbox)

    def close(self) -> None:
        """End the sandbox and everything in it."""
        with self._lock:
            if self._sandbox is not None:
                self._sandbox.close()
                self._sandbox = None
            self._unavailable_reason = CLOSED

    def _is_finding_old(self) -> bool:
        """Whether a lock did not hold a while ago: on a machine that was too busy, a probe may have failed for that."""
        is_old = time.monotonic() - self._examined_at >= self._examine_again_seconds
        return self._findings is not None and is_old

    def _inspect(self) -> str | None:
        try:
            if self._sandbox is None:
                self._sandbox = self._open_sandbox()
            generation = self._sandbox.generation
            if generation != self._examined_generation or self._is_finding_old():
                self._findings = _findings(self._examine(self._sandbox))
                self._examined_generation, self._examined_at = generation, time.monotonic()
            run = self._sandbox.run(EMPTY_PROGRAM)
        except (SandboxFault, OSError) as error:
            return str(error) or type(error).__name__
        if run.status is not RunStatus.OK:
            return f"an empty program ended as {run.status}: {run.message}"
        return self._findings


def _findings(report: Report) -> str | None:
    if report.ok:
        return None
    return f"locks that do not hold: {', '.join(report.failed)}; see python -m server doctor"


async def code_runner(request: Request) -> CodeRunner:
    """Return the application's code runner."""
    value = request.app.state.code_runner
    assert isinstance(value, CodeRunner)
    return value


TheCodeRunner = Annotated[CodeRunner, Depends(code_runner)]
