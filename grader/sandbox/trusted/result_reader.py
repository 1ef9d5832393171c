"""The trusted side of the result buffer.

The child maps the buffer writable, so every byte is an adversary's. ``read_result`` is total, reads each byte once
(what it checks is what it uses), and clamps every length before it uses it.
"""

from __future__ import annotations

import math
import mmap
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import torch

from grader.answer import DTYPES, NOTES, Answer, can_be_held, dtype_name, missing, unread
from grader.sandbox.job import RunStatus, Slot
from grader.sandbox.result_layout import (
    DIMENSIONS_MAX,
    ENTRY,
    FLAGS,
    HEADER,
    STATUSES,
    TABLE_AT,
    EntryState,
    Layout,
    Phase,
)

_NO_SENTENCE: Final = "this is not a tensor; hand in a tensor"
# A student's output must not steer the terminal that shows it: no control characters but tab and newline, and none of
# Unicode's line and direction controls.
_CONTROLS: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")

_Read = Callable[[int, int], bytes]


@dataclass(frozen=True, slots=True)
class Result:
    """What the bytes say: claims of the child, well-formed, not evidence."""

    finished: bool
    status: RunStatus
    flags: tuple[str, ...]
    stdout: str
    message: str
    answers: dict[str, Answer]


def read_result(buffer: bytes | mmap.mmap, layout: Layout) -> Result:
    """Parse a result. Total: any bytes of any length give a ``Result`` with an ``Answer`` for every slot."""

    def read(start: int, length: int) -> bytes:
        part = bytes(buffer[start : start + length])
        return part + bytes(length - len(part))

    phase, status, flag_bits, printed, message_bytes = HEADER.unpack(read(0, HEADER.size))
    return Result(
        finished=phase == Phase.FINISHED,
        status=STATUSES[status] if status < len(STATUSES) else RunStatus.CRASHED,
        flags=tuple(flag for bit, flag in enumerate(FLAGS) if flag_bits >> bit & 1),
        stdout=_text(read(layout.stdout_at, min(printed, layout.stdout_bytes))),
        message=_text(read(layout.message_at, min(message_bytes, layout.message_bytes))),
        answers={
            slot.name: _read_answer(read, index, slot, layout.data_at[index]) for index, slot in enumerate(layout.slots)
        },
    )


def unread_answers(layout: Layout) -> dict[str, Answer]:
    """Return the answers of a run that was stopped: it may have assigned them, and left none."""
    return {slot.name: unread(f"d{slot.name}") for slot in layout.slots}


def _read_answer(read: _Read, index: int, slot: Slot, data_at: int) -> Answer:
    entry = ENTRY.unpack(read(TABLE_AT + index * ENTRY.size, ENTRY.size))
    state, dtype_index, dimensions, note_bits, length, *rest = entry
    shape: tuple[int, ...] = tuple(rest[: min(dimensions, DIMENSIONS_MAX)])
    dtype_handed_in = _text(rest[-2].rstrip(b"\0")) or None
    notes = tuple(note for bit, note in enumerate(NOTES) if note_bits >> bit & 1)
    if state == EntryState.TENSOR and dtype_index < len(DTYPES):
        dtype = DTYPES[dtype_index]
        # Exactly what shape and dtype ask for, and no more than there is room for. Python's integers do not overflow.
        fits = math.prod(shape) * dtype.itemsize == length <= slot.capacity
        # The other dimensions of an empty tensor may be any numbers.
        if fits and (length or can_be_held(shape, slot.capacity)):
            tensor = _tensor(read(data_at, length), shape, dtype)
            return Answer(tensor, notes, None, shape, dtype_handed_in or dtype_name(dtype))
    if state in (EntryState.MISFIT, EntryState.MISFIT_WITHOUT_SHAPE):
        sentence = _text(rest[-1].rstrip(b"\0")) or _NO_SENTENCE
        return Answer(None, notes, sentence, shape if state == EntryState.MISFIT else None, dtype_handed_in)
    return missing(f"d{slot.name}")


def _tensor(content: bytes, shape: tuple[int, ...], dtype: torch.dtype) -> torch.Tensor:
    """Make a tensor of bytes that match its shape and dtype."""
    if not content:  # torch reads no empty buffer
        return torch.empty(shape, dtype=dtype)
    tensor = torch.frombuffer(bytearray(content), dtype=dtype).view(shape)
    # To read a bool that is neither 0 nor 1 is undefined behaviour.
    return tensor.view(torch.uint8) != 0 if dtype is torch.bool else tensor


def _text(content: bytes) -> str:
    """Decode, with newlines as line ends and without control characters."""
    text = content.decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n")
    return text if text.isprintable() else _CONTROLS.sub("\N{REPLACEMENT CHARACTER}", text)
