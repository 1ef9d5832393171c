"""The messages between the trusted side, the zygote and a child: fixed structs, and marshal for a job's head.

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
import marshal
import socket
import struct
from collections.abc import Callable, Iterable, Mapping
from dataclasses import astuple, dataclass
from enum import IntEnum, IntFlag
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from grader.sandbox.job import Job, Loop, Slot
from grader.sandbox.limits import KernelLimits, Limits

if TYPE_CHECKING:
    from torch import Tensor

FORK: Final = struct.Struct("=7Q?")  # KernelLimits, whether to rehearse
READY: Final = struct.Struct("=I")  # Layer
RUN: Final = b"r"
EXIT: Final = struct.Struct("=iQBQ")  # wait status, microseconds of processor time, ExitCause, bytes of memory
HELLO_BYTES: Final = 4096
_JOB: Final = struct.Struct("=II")  # bytes of the head, the source
_LENGTH: Final = struct.Struct("<Q")  # of the header of a safetensors file


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


class StoredTensor(NamedTuple):
    """One tensor of the forward state, whose bytes follow: its name, dtype as safetensors has it, shape and bytes."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    length: int


@dataclass(frozen=True, slots=True)
class ReceivedJob:
    """A job as the child has it. ``limits`` holds those that the child needs; the rest have their defaults."""

    source: str
    filename: str
    state: Mapping[str, Tensor]
    slots: tuple[Slot, ...]
    limits: Limits
    loop: Loop | None = None


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
    :raises ValueError: if the state is no file of tensors
    """
    header_end = _LENGTH.size + _LENGTH.unpack_from(job.state)[0]
    limits = job.limits
    slots = tuple((slot.name, slot.capacity) for slot in job.slots)
    sizes = limits.stdout_bytes, limits.message_bytes, limits.output_bytes
    loop = None if job.loop is None else (job.loop.forward, job.loop.given, job.loop.parameters)
    head = marshal.dumps((job.filename, slots, sizes, loop, _stored_tensors(job.state[_LENGTH.size : header_end])))
    source = job.source.encode("utf-8", "surrogatepass")
    # In one call, so that the child wakes up once.
    before = _JOB.pack(len(head), len(source)) + head + source
    parts = [memoryview(before), memoryview(job.state)[header_end:]]
    sent = channel.sendmsg(parts)
    for part in parts:
        if sent < len(part):
            channel.sendall(part[sent:])
        sent = max(0, sent - len(part))


def receive_job(
    read: Callable[[int], bytes], load: Callable[[Iterable[StoredTensor]], Mapping[str, Tensor]]
) -> ReceivedJob:
    """Receive a job.

    :param read: returns exactly as many bytes as it is asked for, or raises
    :param load: reads the bytes of some tensors, which come last
    """
    head_bytes, source_bytes = _JOB.unpack(read(_JOB.size))
    # The trusted side wrote it. Nothing that a child wrote is ever read like this.
    filename, slots, (stdout_bytes, message_bytes, output_bytes), loop, tensors = marshal.loads(read(head_bytes))
    source = read(source_bytes).decode("utf-8", "surrogatepass")
    limits = Limits(stdout_bytes=stdout_bytes, message_bytes=message_bytes, output_bytes=output_bytes)
    state, answers = load(tensors), tuple(Slot(*slot) for slot in slots)
    return ReceivedJob(source, filename, state, answers, limits, None if loop is None else Loop(*loop))


@lru_cache(maxsize=256)  # all instances of an exercise have the same header
def _stored_tensors(header: bytes) -> tuple[tuple[str, str, tuple[int, ...], int], ...]:
    """Return the fields of every ``StoredTensor`` of a safetensors header, in the order of their bytes.

    :raises ValueError: if it is none
    """
    entries = json.loads(header)
    entries.pop("__metadata__", None)
    tensors = []
    position = 0
    for name, entry in sorted(entries.items(), key=lambda item: item[1]["data_offsets"]):
        begin, end = entry["data_offsets"]
        if begin != position:
            raise ValueError(f"the bytes of {name} are not where those before it end; write the state anew")
        tensors.append((name, entry["dtype"], tuple(entry["shape"]), end - begin))
        position = end
    return tuple(tensors)
