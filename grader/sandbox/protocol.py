"""The messages between the trusted side, the zygote and a child. Fixed structs; a job's head is JSON.

    trusted side -> zygote   Fork, with three descriptors: the child's end of its control channel, the memfd for the
                             result, and the zygote's end of the lifeline
    zygote -> trusted side   Hello, once: ready, or the reason why not
    child -> trusted side    Ready, on the control channel: which locks hold; with the listener for its last call
    trusted side -> child    the job, on the control channel
    zygote -> trusted side   Death, on the lifeline, once the child is reaped
    trusted side -> zygote   closing or shutting down the lifeline: kill the child

All channels are made by the trusted side, so that what it reads is what it made. A lifeline that ends without
a Death means that the zygote is gone.
"""

from __future__ import annotations

import json
import math
import socket
import struct
from collections.abc import Callable
from dataclasses import astuple, dataclass
from typing import Final

from grader.sandbox.jail import KernelLimits
from grader.sandbox.job import Job, Slot
from grader.sandbox.limits import Limits

FORK: Final = struct.Struct("=8Q?")  # KernelLimits, size of the memfd, whether to rehearse
READY: Final = struct.Struct("=I")  # jail.Layer
DEATH: Final = struct.Struct("=iQ")  # wait status, microseconds of processor time
HELLO_BYTES: Final = 4096
_JOB: Final = struct.Struct("=III")  # bytes of head, source, state


def kernel_limits(limits: Limits) -> KernelLimits:
    """What of the limits the kernel enforces, in its units."""
    return KernelLimits(
        cpu_seconds=max(1, math.ceil(limits.cpu_seconds)),
        data_bytes=limits.data_bytes,
        address_bytes=limits.address_bytes,
        stack_bytes=limits.stack_bytes,
        file_bytes=limits.file_bytes,
        files=limits.files,
        processes=limits.processes,
    )


def pack_fork(limits: KernelLimits, result_bytes: int, rehearse: bool) -> bytes:
    """A request for one child."""
    return FORK.pack(*astuple(limits), result_bytes, rehearse)


def unpack_fork(message: bytes) -> tuple[KernelLimits, int, bool]:
    """:raises struct.error: it is no such message"""
    *limits, result_bytes, rehearse = FORK.unpack(message)
    return KernelLimits(*limits), result_bytes, rehearse


@dataclass(frozen=True, slots=True)
class Task:
    """A job as the child has it."""

    source: str
    filename: str
    state: bytes
    slots: tuple[Slot, ...]
    limits: Limits


def send_job(channel: socket.socket, job: Job) -> None:
    """Hand a job over. Blocks, as long as the channel's timeout allows, while the child reads."""
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


def receive_job(take: Callable[[int], bytes]) -> Task:
    """Take a job. `take` gives so many bytes, or raises."""
    head_bytes, source_bytes, state_bytes = _JOB.unpack(take(_JOB.size))
    head = json.loads(take(head_bytes))
    source = take(source_bytes).decode("utf-8", "surrogatepass")
    limits = Limits(
        stdout_bytes=head["stdout_bytes"],
        message_bytes=head["message_bytes"],
        output_bytes=head["output_bytes"],
    )
    slots = tuple(Slot(name, capacity) for name, capacity in head["slots"])
    return Task(source, head["filename"], take(state_bytes), slots, limits)
