"""The result of a run: a memfd of fixed layout, written by the child, read by the trusted side.

    header   phase, status, flags, length of standard output, length of the message
    table    one entry a slot: what was handed in, its dtype, shape and notes, or why there is no tensor
    stdout   UTF-8
    message  UTF-8
    data     the tensors' bytes, each at the place that the trusted side worked out beforehand

The memfd can neither grow nor shrink. The child maps it writable, so every byte is an adversary's: `read` is
total, looks at each byte once (what was checked is what is used), and takes no length or offset from it
without a clamp.
"""

from __future__ import annotations

import ctypes
import mmap
import re
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import torch

from grader.answer import DTYPES, MOST_DIMENSIONS, NOTES, Answer, can_be_held, dtype_name, missing
from grader.sandbox.job import RunStatus, Slot
from grader.sandbox.limits import Limits

MOST_SLOTS: Final = 128
FLAGS: Final = ("autograd",)

_HEADER: Final = struct.Struct("=IIIII")
# state, dtype, number of dimensions, unused, notes, bytes, shape, dtype handed in, sentence
_ENTRY: Final = struct.Struct(f"=BBBxIQ{MOST_DIMENSIONS}Q24s152s")
_TABLE_AT: Final = 64
_PAGE: Final = 4096
_ALIGNED: Final = 64  # for the vector loads of whoever computes with the tensors

_NOTHING, _TENSOR, _MISFIT, _MISFIT_WITHOUT_SHAPE = range(4)
_STATUSES: Final = tuple(RunStatus)
# A terminal that shows a student's output must not be steered by it; Unicode's line and direction controls
# likewise.
_CONTROLS: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


class Phase(IntEnum):
    """How far a child got. The last one is written after everything else."""

    WAITING = 0
    RUNNING = 1
    HARVESTED = 0x600D


@dataclass(frozen=True, slots=True)
class Layout:
    """Where everything is. A function of the limits and the slots alone: both sides work it out for
    themselves."""

    slots: tuple[Slot, ...]
    data_at: tuple[int, ...]
    stdout_at: int
    stdout_bytes: int
    message_at: int
    message_bytes: int

    @classmethod
    def of(cls, slots: Sequence[Slot], limits: Limits) -> Layout:
        """:raises ValueError: the slots do not fit what the limits allow (our mistake, not the student's)"""
        if len(slots) > MOST_SLOTS:
            raise ValueError(f"{len(slots)} answers asked for; at most {MOST_SLOTS} fit")
        stdout_at = _pages(_TABLE_AT + MOST_SLOTS * _ENTRY.size)
        message_at = _pages(stdout_at + limits.stdout_bytes)
        position = first = _pages(message_at + limits.message_bytes)
        data_at = []
        for slot in slots:
            if slot.capacity < 0:
                raise ValueError(f"the slot {slot.name} has a negative capacity")
            data_at.append(position)
            position += -(-slot.capacity // _ALIGNED) * _ALIGNED
        if position - first > limits.output_bytes:
            raise ValueError(
                f"the answers need {position - first} bytes and the limit is {limits.output_bytes}; "
                "raise output_bytes of this exercise"
            )
        return cls(tuple(slots), tuple(data_at), stdout_at, limits.stdout_bytes, message_at, limits.message_bytes)


def size(limits: Limits) -> int:
    """Bytes of a memfd that holds any result within the limits."""
    return _pages(Layout.of((), limits).message_at + _pages(limits.message_bytes) + _pages(limits.output_bytes))


def _pages(length: int) -> int:
    return -(-length // _PAGE) * _PAGE


class Writer:
    """The child's side. Holds the mapping; after `close_phase` nothing of it is needed any more."""

    def __init__(self, buffer: mmap.mmap) -> None:
        self._buffer = buffer
        self._address = ctypes.addressof(ctypes.c_char.from_buffer(buffer))
        self._printed = 0
        self._layout = Layout((), (), 0, 0, 0, 0)

    def begin(self, layout: Layout) -> None:
        """A run begins: from here on the header counts."""
        self._layout = layout
        self._printed = 0
        self._buffer[: _HEADER.size] = _HEADER.pack(Phase.RUNNING, 0, 0, 0, 0)

    def print(self, text: bytes) -> bool:
        """Add to standard output. False when it did not all fit."""
        room = self._layout.stdout_bytes - self._printed
        part = text[:room]
        start = self._layout.stdout_at + self._printed
        self._buffer[start : start + len(part)] = part
        self._printed += len(part)
        struct.pack_into("=I", self._buffer, 12, self._printed)
        return len(text) <= room

    def answer(self, index: int, answer: Answer) -> None:
        """Leave one answer in its slot."""
        capacity = self._layout.slots[index].capacity
        state, dtype, length, sentence = _NOTHING, 0, 0, answer.misfit or ""
        tensor = answer.tensor
        if tensor is not None and tensor.nbytes > capacity:
            tensor = None
            sentence = f"shape {list(answer.shape or ())} is larger than any gradient here; look at its shape"
        shape = answer.shape or ()
        if tensor is not None:
            state, dtype, length = _TENSOR, DTYPES.index(tensor.dtype), tensor.nbytes
            if length:
                ctypes.memmove(self._address + self._layout.data_at[index], tensor.data_ptr(), length)
        elif answer.shape is not None and len(shape) <= MOST_DIMENSIONS:
            state = _MISFIT
        else:
            state, shape = _MISFIT_WITHOUT_SHAPE, ()
        notes = sum(1 << NOTES.index(note) for note in answer.notes)
        padded = (*shape, *(0,) * (MOST_DIMENSIONS - len(shape)))
        _ENTRY.pack_into(
            self._buffer,
            _TABLE_AT + index * _ENTRY.size,
            state,
            dtype,
            len(shape),
            notes,
            length,
            *padded,
            (answer.dtype or "").encode()[:24],
            sentence.encode()[:152],
        )

    def finish(self, status: RunStatus, message: str, flags: Sequence[str]) -> None:
        """Everything else is written: say how it went, and put the last mark."""
        text = message.encode("utf-8", "replace")
        room = self._layout.message_bytes
        if len(text) > room:  # the beginning says where it happened, the end says what
            cut = b"\n    ...\n"
            half = (room - len(cut)) // 2
            text = text[:half] + cut + text[len(text) - half :]
        self._buffer[self._layout.message_at : self._layout.message_at + len(text)] = text
        bits = sum(1 << FLAGS.index(flag) for flag in flags)
        index = _STATUSES.index(status)
        self._buffer[: _HEADER.size] = _HEADER.pack(Phase.HARVESTED, index, bits, self._printed, len(text))

    def erase(self) -> None:
        """Forget a rehearsal: what the trusted side reads must come from the run."""
        end = _TABLE_AT + MOST_SLOTS * _ENTRY.size
        self._buffer[:end] = bytes(end)


@dataclass(frozen=True, slots=True)
class Result:
    """What the bytes say: claims of the child, well-formed, not evidence."""

    finished: bool
    status: RunStatus
    flags: tuple[str, ...]
    stdout: str
    message: str
    answers: dict[str, Answer]


def read(buffer: bytes | mmap.mmap, layout: Layout) -> Result:
    """Parse a result. Total: any bytes of any length give a Result with an Answer for every slot."""

    def take(start: int, length: int) -> bytes:
        part = bytes(buffer[start : start + length])
        return part + bytes(length - len(part))

    phase, status, flags, printed, said = _HEADER.unpack(take(0, _HEADER.size))
    return Result(
        finished=phase == Phase.HARVESTED,
        status=_STATUSES[status] if status < len(_STATUSES) else RunStatus.CRASHED,
        flags=tuple(flag for bit, flag in enumerate(FLAGS) if flags >> bit & 1),
        stdout=_text(take(layout.stdout_at, min(printed, layout.stdout_bytes))),
        message=_text(take(layout.message_at, min(said, layout.message_bytes))),
        answers={
            slot.name: _read_answer(take, index, slot, layout.data_at[index]) for index, slot in enumerate(layout.slots)
        },
    )


def nothing(layout: Layout) -> dict[str, Answer]:
    """The answers of a run that left none."""
    return {slot.name: missing(f"d{slot.name}") for slot in layout.slots}


def _read_answer(take: Callable[[int, int], bytes], index: int, slot: Slot, data_at: int) -> Answer:
    state, dtype_at, dimensions, bits, length, *rest = _ENTRY.unpack(take(_TABLE_AT + index * _ENTRY.size, _ENTRY.size))
    shape: tuple[int, ...] | None = tuple(rest[: min(dimensions, MOST_DIMENSIONS)])
    given = _text(rest[-2].rstrip(b"\0")) or None
    notes = tuple(note for bit, note in enumerate(NOTES) if bits >> bit & 1)
    if state == _TENSOR and shape is not None and dtype_at < len(DTYPES):
        dtype = DTYPES[dtype_at]
        elements = 1
        for dimension in shape:
            elements *= dimension
        # Exactly what shape and dtype ask for, and no more than there is room for. Python's integers do not overflow.
        fits = elements * dtype.itemsize == length <= slot.capacity
        if fits and length:
            tensor = torch.frombuffer(bytearray(take(data_at, length)), dtype=dtype).view(shape)
            if dtype is torch.bool:  # a bool that is neither 0 nor 1 is undefined behaviour to whoever reads it
                tensor = tensor.view(torch.uint8) != 0
            return Answer(tensor, notes, None, shape, given or dtype_name(dtype))
        if fits and can_be_held(shape, slot.capacity):
            return Answer(torch.empty(shape, dtype=dtype), notes, None, shape, given or dtype_name(dtype))
    if state in (_MISFIT, _MISFIT_WITHOUT_SHAPE):
        sentence = _text(rest[-1].rstrip(b"\0")) or "this is not a tensor; hand in a tensor"
        return Answer(None, notes, sentence, shape if state == _MISFIT else None, given)
    return missing(f"d{slot.name}")


def _text(content: bytes) -> str:
    text = content.decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n")
    return text if text.isprintable() else _CONTROLS.sub("\N{REPLACEMENT CHARACTER}", text)
