"""What goes into the sandbox and what comes out of it, as the trusted side sees it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from grader.answer import Answer
from grader.sandbox.limits import Limits


class RunStatus(StrEnum):
    """What became of a run. Code that stops half-way (`error`, `denied`) keeps the answers that it had got
    to.
    """

    OK = "ok"
    ERROR = "error"  # the code raised, or could not be compiled
    DENIED = "denied"  # it asked for something that is not possible here
    TIME_LIMIT = "time_limit"
    MEMORY_LIMIT = "memory_limit"
    OUTPUT_LIMIT = "output_limit"
    CRASHED = "crashed"  # its process died some other way
    SANDBOX_FAULT = "sandbox_fault"  # ours. `Sandbox.run` raises SandboxFault; a caller that gives up records this


class SandboxFault(Exception):
    """The sandbox failed, not the code: the run is lost and may be tried again. Never a verdict."""


@dataclass(frozen=True, slots=True)
class Slot:
    """Room for one answer: the checkpoint's name ("logits"; the variable is "dlogits") and its bytes."""

    name: str
    capacity: int


@dataclass(frozen=True, slots=True)
class Job:
    """One run: the student's code, the forward state as safetensors bytes, and the answers asked for."""

    source: str
    filename: str
    state: bytes
    slots: tuple[Slot, ...]
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True, slots=True)
class Run:
    """What a run left. `answers` has an Answer for every slot of the job, in their order, whatever the
    status.

    `message` is for the student: the traceback, which limit, or the sentence that names a forbidden act;
    empty when ok. `flags` are hints drawn from the source ("autograd"), not evidence. `seconds` is wall time.
    """

    status: RunStatus
    message: str
    stdout: str
    answers: Mapping[str, Answer]
    flags: tuple[str, ...]
    seconds: float
