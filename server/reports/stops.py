"""Where code stops: the kind of the error and the step whose line raised it, read from what the run said."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from grader.sandbox import RunStatus

ERROR_LINE: Final = re.compile(
    r"^([A-Za-z_][\w.]*(?:Error|Exception|Exit|Interrupt|Warning|Iteration))\b", re.MULTILINE
)
FRAME: Final = re.compile(r'^  File "[^"\n]*", line \d+[^\n]*\n    ([^\n]*)', re.MULTILINE)
TARGET: Final = re.compile(r"\s*d(\w+)\b[^=!<>]*(?<![=!<>])[-+*/@]?=(?!=)")
STOPS: Final = {
    RunStatus.DENIED: "does what the sandbox does not allow",
    RunStatus.TIME_LIMIT: "runs out of time",
    RunStatus.MEMORY_LIMIT: "runs out of memory",
    RunStatus.OUTPUT_LIMIT: "prints too much",
    RunStatus.CRASHED: "crashes",
    RunStatus.SANDBOX_FAULT: "was lost with the sandbox",
}


@dataclass(frozen=True)
class Stop:
    """What stopped a run: its status, the class of the exception, and the step whose gradient the line makes."""

    status: str
    error: str | None = None
    checkpoint: str | None = None

    @property
    def phrase(self) -> str:
        """What the code does, after "the code of 3 students"."""
        what = STOPS.get(RunStatus(self.status)) if self.status in set(RunStatus) else None
        stops = what or f"stops with {self.error or 'an error'}"
        return stops if self.checkpoint is None else f"{stops} in the line of d{self.checkpoint}"


def stop_of(status: str, message: str, checkpoints: Collection[str]) -> Stop:
    """Return what stopped a run, from its status and its message, which holds a traceback if there was an exception."""
    errors = ERROR_LINE.findall(message)
    lines = FRAME.findall(message)
    target = TARGET.match(lines[-1]) if lines else None
    checkpoint = target[1] if target and target[1] in checkpoints else None
    is_exception = status in (RunStatus.ERROR, RunStatus.DENIED)
    return Stop(status, errors[-1] if errors and is_exception else None, checkpoint)
