"""The workshop: the sandbox as the server has it, and whether code may be run in it now."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Self

from exercises.instance import freeze
from grader.sandbox import Job, RunStatus, Sandbox, SandboxFault
from grader.sandbox.trusted.doctor import Report, examine
from server.settings import Settings

HONEST = Job(source="", filename="honest.py", state=freeze({}), slots=())

log = logging.getLogger(__name__)


class Workshop:
    """The sandbox is opened by the first inspection, with ``open_sandbox``. Where that fails, or where the
    doctor finds a lock that does not hold, no code is run and the server goes on: tensors need no sandbox."""

    def __init__(self, open_sandbox: Callable[[], Sandbox], examine: Callable[[Sandbox], Report] = examine) -> None:
        self._open_sandbox = open_sandbox
        self._examine = examine
        self._sandbox: Sandbox | None = None
        self._examined = 0  # the zygote that the doctor has seen, by the sandbox's count
        self._findings: str | None = None
        self._inspected = False
        self._trouble: str | None = None
        self._lock = threading.Lock()

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """The workshop of a process that runs code."""
        return cls(lambda: Sandbox(children=settings.children, connect=settings.zygote))

    @property
    def sandbox(self) -> Sandbox:
        """The sandbox; raises SandboxFault where there is none."""
        if self._sandbox is None:
            raise SandboxFault(self._trouble)
        return self._sandbox

    @property
    def trouble(self) -> str | None:
        """Why code cannot be run, as it was last inspected; None where it can, or where that is not known
        yet."""
        return self._trouble

    @property
    def health(self) -> str:
        """``ok``, or why no code is run now."""
        return self._trouble or ("ok" if self._inspected else "is being started")

    def ready(self) -> bool:
        """Whether code may be run now. A zygote that is new is shown to the doctor first."""
        if not self._inspected or (self._sandbox and self._sandbox.generation != self._examined):
            self.inspect()
        return self._trouble is None

    def inspect(self) -> str | None:
        """Run an empty program, after the doctor where it is a new zygote's first: what is wrong, or None."""
        with self._lock:
            trouble = self._inspect()
            if trouble is not None and trouble != self._trouble:
                log.error("Code cannot be run: %s", trouble)
            elif trouble is None and (self._trouble is not None or not self._inspected):
                log.info("Code can be run.")
            self._trouble, self._inspected = trouble, True
            return trouble

    def close(self) -> None:
        """End the sandbox and everything in it."""
        with self._lock:
            if self._sandbox is not None:
                self._sandbox.close()
                self._sandbox = None
            self._trouble = "the sandbox has been closed"

    def _inspect(self) -> str | None:
        try:
            if self._sandbox is None:
                self._sandbox = self._open_sandbox()
            generation = self._sandbox.generation
            if generation != self._examined:
                self._findings = _findings(self._examine(self._sandbox))
                self._examined = generation
            run = self._sandbox.run(HONEST)
        except (SandboxFault, OSError) as error:
            return str(error) or type(error).__name__
        if run.status is not RunStatus.OK:
            return f"an empty program ended as {run.status}: {run.message}"
        return self._findings


def _findings(report: Report) -> str | None:
    if report.ok:
        return None
    return f"locks that do not hold: {', '.join(report.failed)}; see python -m server doctor"
