"""Run untrusted code where there is nothing to steal and nothing to break.

The folders are the sides of the trust boundary:

- ``trusted/`` gives jobs to children and reads their results. The server imports it through this package.
- ``zygote/`` is the process that forks children. It holds no secret.
- ``child/`` runs beside student code, in the same process.
- ``locks/`` takes away what a child does not need.

The files at the top are shared. They need the standard library alone, and so does this file: the zygote imports it too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from grader.sandbox.job import Job, Loop, Run, RunStatus, SandboxFault, Slot
from grader.sandbox.limits import Limits

if TYPE_CHECKING:
    from grader.sandbox.trusted.sandbox import Sandbox, Timing

__all__ = ["Job", "Limits", "Loop", "Run", "RunStatus", "Sandbox", "SandboxFault", "Slot", "Timing"]


def __getattr__(name: str) -> object:
    """Import the trusted side when it is first asked for. The zygote never asks."""
    if name not in ("Sandbox", "Timing"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from grader.sandbox.trusted import sandbox

    return getattr(sandbox, name)
