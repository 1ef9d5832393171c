"""What goes into the sandbox and what comes out of it, as the trusted side sees it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from grader.sandbox.limits import Limits

if TYPE_CHECKING:
    from grader.answer import Answer


class RunStatus(StrEnum):
    """What became of a run.

    Code that stops early keeps the answers it had reached (``error``, ``denied``, ``memory_limit``, ``output_limit``).
    Code that was killed keeps none.
    """

    OK = "ok"
    ERROR = "error"  # the code raised, or could not be compiled
    DENIED = "denied"  # it asked for something that the sandbox forbids
    TIME_LIMIT = "time_limit"
    MEMORY_LIMIT = "memory_limit"
    OUTPUT_LIMIT = "output_limit"
    CRASHED = "crashed"  # its process died in another way
    SANDBOX_FAULT = "sandbox_fault"  # our fault: ``Sandbox.run`` raises, and a caller that gives up records this


class SandboxFault(Exception):
    """The sandbox failed, not the code: the run is lost and may be tried again. Never a verdict."""


class SandboxExhausted(SandboxFault):
    """Our side has run out of descriptors, processes or memory: no code has anything to do with it."""


@dataclass(frozen=True, slots=True)
class Slot:
    """Room for one answer: the checkpoint's name ("logits"; the variable is "dlogits") and its size in bytes."""

    name: str
    capacity: int


@dataclass(frozen=True, slots=True)
class Loop:
    """Take steps of gradient descent with the code of a job, instead of running it once.

    ``forward`` is the text of the forward pass, ``given`` the names that it has. The state of the job holds the
    ``parameters``, constants, the minibatches as ``Xb`` (steps, batch, 3) and ``Yb`` (steps, batch), and the learning
    rates as ``rates`` (steps,), float64. The answers are the parameters after the last step.
    """

    forward: str
    given: tuple[str, ...]
    parameters: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Job:
    """One run: the student's code, the forward state as safetensors bytes, and the answers asked for.

    ``loop`` is None if the code runs once.
    """

    source: str
    filename: str
    state: bytes
    slots: tuple[Slot, ...]
    limits: Limits = field(default_factory=Limits)
    loop: Loop | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """The outcome of a run.

    ``answers`` has an ``Answer`` for every slot of the job, in their order, whatever the status.
    ``message`` is for the student: the traceback, the limit that was met, or the act that was denied; empty if ok.
    ``flags`` are hints read from the source ("autograd"), not evidence. ``seconds`` is wall time.
    """

    status: RunStatus
    message: str
    stdout: str
    answers: Mapping[str, Answer]
    flags: tuple[str, ...]
    seconds: float
