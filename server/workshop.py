"""The workshop: the sandbox as the server has it, and whether code can be run in it now."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from exercises.instance import freeze
from grader.sandbox import Job, RunStatus, Sandbox, SandboxFault

HONEST = Job(source="", filename="honest.py", state=freeze({}), slots=())

log = logging.getLogger(__name__)


class Workshop:
    """The sandbox is opened by the first inspection, with ``open_sandbox``. Where that fails the server
    runs on: tensors need no sandbox, and each further inspection tries again."""

    def __init__(self, open_sandbox: Callable[[], Sandbox]) -> None:
        self._open_sandbox = open_sandbox
        self._sandbox: Sandbox | None = None
        self._trouble: str | None = "the sandbox has not been started"
        self._lock = threading.Lock()

    @property
    def sandbox(self) -> Sandbox:
        """The sandbox; raises SandboxFault where there is none."""
        if self._sandbox is None:
            raise SandboxFault(self._trouble)
        return self._sandbox

    @property
    def trouble(self) -> str | None:
        """Why code cannot be run now, as it was last inspected; None where it can."""
        return self._trouble

    def inspect(self) -> str | None:
        """Run an empty program: why that is not possible, or None."""
        with self._lock:
            trouble = self._inspect()
            if trouble != self._trouble:
                log.warning("Code %s", f"cannot be run: {trouble}" if trouble else "can be run.")
            self._trouble = trouble
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
            run = self._sandbox.run(HONEST)
        except (SandboxFault, OSError) as error:
            return str(error) or type(error).__name__
        return (
            None if run.status is RunStatus.OK else f"an empty program ended as {run.status}: {run.message}"
        )
