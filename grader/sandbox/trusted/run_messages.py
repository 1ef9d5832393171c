"""What a student reads about a run that the trusted side had to judge: one sentence for each cause."""

from __future__ import annotations

import signal
from enum import Enum, auto
from typing import Final

from grader.sandbox.job import RunStatus
from grader.sandbox.limits import KIB, MIB, Limits


class Cause(Enum):
    """Why a run did not end well."""

    WALL_TIME = auto()
    CPU_TIME = auto()
    MEMORY = auto()
    SOURCE_SIZE = auto()
    LEFT_EARLY = auto()
    FORBIDDEN_CALL = auto()
    SIGNAL = auto()


STATUSES: Final = {
    Cause.WALL_TIME: RunStatus.TIME_LIMIT,
    Cause.CPU_TIME: RunStatus.TIME_LIMIT,
    Cause.MEMORY: RunStatus.MEMORY_LIMIT,
    Cause.SOURCE_SIZE: RunStatus.ERROR,
    Cause.LEFT_EARLY: RunStatus.CRASHED,
    Cause.FORBIDDEN_CALL: RunStatus.DENIED,
    Cause.SIGNAL: RunStatus.CRASHED,
}

SENTENCES: Final = {
    Cause.WALL_TIME: (
        "Stopped after {wall_seconds:g} s; look for a loop that does not end, or for waiting, and submit again."
    ),
    Cause.CPU_TIME: (
        "Stopped after {cpu_seconds:g} s of processor time; look for a loop that does not end, or compute with whole "
        "tensors instead of element by element, and submit again."
    ),
    Cause.MEMORY: "No more than {data_mib} MiB of memory is available; use smaller tensors, and submit again.",
    Cause.SOURCE_SIZE: "The file is larger than {source_kib} KiB; hand in the derivation alone.",
    Cause.LEFT_EARLY: (
        "The code ended its own process before its last line (os._exit, or the like); remove that call and submit "
        "again."
    ),
    Cause.FORBIDDEN_CALL: (
        "The code asked the operating system for something that is not possible here, and was stopped; a gradient "
        "needs nothing from it, so remove that call and submit again."
    ),
    Cause.SIGNAL: (
        "The process that ran the code died of {signal}; endless recursion does that, and so does code that reaches "
        "below Python. Remove the cause and submit again."
    ),
}


def sentence(cause: Cause, limits: Limits, signal_number: int | None = None) -> str:
    """Return the sentence for a cause, with the limits of the run. ``signal_number`` is for ``Cause.SIGNAL``."""
    return SENTENCES[cause].format(
        wall_seconds=limits.wall_seconds,
        cpu_seconds=limits.cpu_seconds,
        data_mib=limits.data_bytes // MIB,
        source_kib=limits.source_bytes // KIB,
        signal=_signal_name(signal_number),
    )


def _signal_name(number: int | None) -> str:
    try:
        return signal.Signals(number or 0).name
    except ValueError:
        return f"signal {number}"
