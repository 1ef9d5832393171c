"""The messages between the trusted side, the zygote and a child: fixed structs, and JSON for a job's head.

1. zygote → trusted side: HELLO, once. Ready, or the reason why not.
2. trusted side → zygote: FORK, with three descriptors: the child's end of its control channel, the memfd for the
   result, and the zygote's end of the lifeline.
3. child → trusted side: READY on the control channel: which locks hold, with the descriptor of the exit notification.
4. trusted side → child: the job, on the control channel.
5. trusted side → zygote: RUN on the lifeline, if the run takes longer than most. From now on the zygote measures the
   child's memory.
6. zygote → trusted side: EXIT on the lifeline, after the child is reaped, or if it could not be forked.

At any time the trusted side may close or shut down the lifeline: the zygote then kills the child.
The trusted side makes all channels, so it reads only what it made itself. A lifeline that ends without EXIT means that
the zygote is gone.
"""

from __future__ import annotations

import json
import socket
import struct
from collections.abc import Callable
from dataclasses import astuple, dataclass
from enum import IntEnum, IntFlag
from typing import Final

from grader.sandbox.job import Job, Slot
from grader.sandbox.limits import KernelLimits, Limits

FORK: Final = struct.Struct("=7Q?")  # KernelLimits, whether to rehearse
READY: Final = struct.Struct("=I")  # Layer
RUN: Final = b"r"
EXIT: Final = struct.Struct("=iQBQ")  # wait status, microseconds of processor time, ExitCause, bytes of memory
HELLO_BYTES: Final = 4096
_JOB: Final = struct.Struct("=III")  # bytes of the head, the source, the state


class ExitCause(IntEnum):
    """Why a child ended, if the zygote has to do with it."""

    OTHER = 0  # the wait status says it
    NOT_FORKED = 1  # the wait status is an errno
    OVER_MEMORY = 2  # the zygote measured more than the child's limit, and killed it


class Layer(IntFlag):
    """The locks that a child has tried, as bits of its READY message."""

    SESSION = 1
    DIES_WITH_ZYGOTE = 2
    NOT_DUMPABLE = 4
    DESCRIPTORS = 8
    PRIVILEGES = 16
    RLIMITS = 32
    LANDLOCK = 64
    SECCOMP = 128  # the kernel took the filter; the doctor tries whether it holds
    EXIT_NOTIFICATION = 256


@dataclass(frozen=True, slots=True)
class ReceivedJob:
    """A job as the child has it. ``limits`` holds those that the child needs; the rest have their defaults."""

    source: str
    filename: str
    state: bytes
    slots: tuple[Slot, ...]
    limits: Limits


def pack_fork(limits: KernelLimits, rehearse: bool) -> bytes:
    """Write a request for one child."""
    return FORK.pack(*astuple(limits), rehearse)


def unpack_fork(message: bytes) -> tuple[KernelLimits, bool]:
    """Read a request for one child.

    :raises struct.error: if the length is wrong
    """
    *limits, rehearse = FORK.unpack(message)
    return KernelLimits(*limits), rehearse


def send_job(channel: socket.socket, job: Job) -> None:
    """Send a job. Blocks while the child reads, as long as the channel's timeout allows.

    :raises OSError: if the child does not read
    """
    head = json.dumps(
        {
            "filename": job.filename,
            "slots": [(slot.name, slot.capacity) for slot in job.slots],
            "stdout_bytes": job.limits.stdout_bytes,
            "message_bytes": job.limits.message_bytes,
            "output_bytes": job.limits.output_bytes,
        }
    ).encode()
    source = job.source.encode("utf-8", "surrogatepass")
    channel.sendall(_JOB.pack(len(head), len(source), len(job.state)) + head + source)
    channel.sendall(job.state)


def receive_job(read: Callable[[int], bytes]) -> ReceivedJob:
    """Receive a job. ``read`` returns exactly as many bytes as it is asked for, or raises."""
    head_bytes, source_bytes, state_bytes = _JOB.unpack(read(_JOB.size))
    head = json.loads(read(head_bytes))
    source = read(source_bytes).decode("utf-8", "surrogatepass")
    limits = Limits(
        stdout_bytes=head["stdout_bytes"],
        message_bytes=head["message_bytes"],
        output_bytes=head["output_bytes"],
    )
    slots = tuple(Slot(name, capacity) for name, capacity in head["slots"])
    return ReceivedJob(source, head["filename"], read(state_bytes), slots, limits)
