"""How much one run may use. The defaults worked in trials; an exercise may carry its own."""

from __future__ import annotations

import math
from dataclasses import dataclass

KIB = 1024
MIB = 1024 * KIB


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of one run, in bytes and seconds. Memory limits are allowances over what the zygote already holds."""

    cpu_seconds: float = 2.0  # processor time; rounded up to whole seconds. SIGKILL comes one second later
    wall_seconds: float = 5.0  # from handing the job over to the end of the run
    data_bytes: int = 256 * MIB  # private writable memory: heap, anonymous mappings
    address_bytes: int = 512 * MIB  # all mappings: RLIMIT_DATA ignores shared and read-only ones
    stack_bytes: int = 8 * MIB
    file_bytes: int = 1 * MIB  # a second lock: a child can open no file
    files: int = 64  # open descriptors; a second lock too
    processes: int = 1
    stdout_bytes: int = 64 * KIB
    message_bytes: int = 16 * KIB
    source_bytes: int = 64 * KIB
    state_bytes: int = 64 * MIB
    output_bytes: int = 8 * MIB  # all answers together


@dataclass(frozen=True, slots=True)
class KernelLimits:
    """The limits that the kernel enforces, in its units. They are in force before the code arrives."""

    cpu_seconds: int
    data_bytes: int
    address_bytes: int
    stack_bytes: int
    file_bytes: int
    files: int
    processes: int


def kernel_limits(limits: Limits) -> KernelLimits:
    """Pick the limits that the kernel enforces. It counts processor time in whole seconds."""
    return KernelLimits(
        cpu_seconds=max(1, math.ceil(limits.cpu_seconds)),
        data_bytes=limits.data_bytes,
        address_bytes=limits.address_bytes,
        stack_bytes=limits.stack_bytes,
        file_bytes=limits.file_bytes,
        files=limits.files,
        processes=limits.processes,
    )
