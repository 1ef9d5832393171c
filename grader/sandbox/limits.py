"""How much one run may use. The numbers are those that worked in trials; an exercise may carry its own."""

from __future__ import annotations

from dataclasses import dataclass

KIB = 1024
MIB = 1024 * KIB


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of one run. Bytes and seconds; memory is an allowance over what the zygote already holds.

    Those that the kernel enforces are whole seconds and are in force before the code arrives.
    """

    cpu_seconds: float = 2.0  # processor time; rounded up to whole seconds. One more second and it is SIGKILL
    wall_seconds: float = 5.0  # from handing the job over to the end of the run
    data_bytes: int = 256 * MIB  # private writable memory: heap, anonymous mappings
    address_bytes: int = 512 * MIB  # all mappings: RLIMIT_DATA does not see shared or read-only ones
    stack_bytes: int = 8 * MIB
    file_bytes: int = 1 * MIB  # size of a file, were one to be had
    files: int = 64  # descriptors, likewise
    processes: int = 1
    stdout_bytes: int = 64 * KIB
    message_bytes: int = 16 * KIB
    source_bytes: int = 64 * KIB
    state_bytes: int = 64 * MIB
    output_bytes: int = 8 * MIB  # all answers together
