"""Where everything is in the result of a run: a memfd that the child writes and the trusted side reads.

1. header: phase, status, flags, bytes of standard output, bytes of the message
2. table: one entry per slot: dtype, shape and notes of the answer, or why there is no tensor
3. standard output, UTF-8
4. message, UTF-8
5. data: the tensors' bytes, each at an offset that both sides compute from the limits and the slots alone

The memfd can neither grow nor shrink.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from grader.sandbox.job import RunStatus, Slot
from grader.sandbox.limits import Limits

SLOTS_MAX: Final = 128
DIMENSIONS_MAX: Final = 8  # ``grader.answer.MOST_DIMENSIONS``, which needs torch; a test compares the two
DTYPE_BYTES: Final = 24
SENTENCE_BYTES: Final = 152
FLAGS: Final = ("autograd",)  # by bit
STATUSES: Final = tuple(RunStatus)  # by number

HEADER: Final = struct.Struct("=IIIII")
PRINTED_AT: Final = 12  # bytes of standard output, the header's fourth field
# state, dtype, number of dimensions, unused, notes, bytes, shape, dtype handed in, sentence
ENTRY: Final = struct.Struct(f"=BBBxIQ{DIMENSIONS_MAX}Q{DTYPE_BYTES}s{SENTENCE_BYTES}s")
TABLE_AT: Final = 64
TABLE_END: Final = TABLE_AT + SLOTS_MAX * ENTRY.size
_PAGE_BYTES: Final = 4096
ALIGNMENT_BYTES: Final = 64  # vector loads of those who compute with the tensors


class Phase(IntEnum):
    """How far a child got. ``FINISHED`` is written after everything else."""

    WAITING = 0
    RUNNING = 1
    FINISHED = 0x600D


class EntryState(IntEnum):
    """What an entry of the table holds."""

    NOTHING = 0
    TENSOR = 1
    MISFIT = 2  # no tensor, but a sentence and the shape
    MISFIT_WITHOUT_SHAPE = 3


@dataclass(frozen=True, slots=True)
class Layout:
    """Offsets and sizes of one result, in bytes."""

    slots: tuple[Slot, ...]
    data_at: tuple[int, ...]
    stdout_at: int
    stdout_bytes: int
    message_at: int
    message_bytes: int

    @classmethod
    def of(cls, slots: Sequence[Slot], limits: Limits) -> Layout:
        """Compute the layout for some slots.

        :raises ValueError: if the slots exceed the limits (our mistake, not the student's)
        """
        if len(slots) > SLOTS_MAX:
            raise ValueError(f"{len(slots)} answers asked for; at most {SLOTS_MAX} fit")
        stdout_at = _whole_pages(TABLE_END)
        message_at = _whole_pages(stdout_at + limits.stdout_bytes)
        position = first = _whole_pages(message_at + limits.message_bytes)
        data_at = []
        for slot in slots:
            if slot.capacity < 0:
                raise ValueError(f"the slot {slot.name} has a negative capacity")
            data_at.append(position)
            position += -(-slot.capacity // ALIGNMENT_BYTES) * ALIGNMENT_BYTES
        if position - first > limits.output_bytes:
            raise ValueError(
                f"the answers need {position - first} bytes and the limit is {limits.output_bytes}; "
                "raise output_bytes of this exercise"
            )
        return cls(tuple(slots), tuple(data_at), stdout_at, limits.stdout_bytes, message_at, limits.message_bytes)


def result_bytes(limits: Limits) -> int:
    """Bytes of a memfd that holds any result within the limits."""
    data_at = Layout.of((), limits).message_at + _whole_pages(limits.message_bytes)
    return _whole_pages(data_at + _whole_pages(limits.output_bytes))


def _whole_pages(length: int) -> int:
    return -(-length // _PAGE_BYTES) * _PAGE_BYTES
