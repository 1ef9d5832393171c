"""The child's side of the result buffer."""

from __future__ import annotations

import ctypes
import mmap
import struct
from collections.abc import Sequence
from typing import Final

from grader.answer import DTYPES, NOTES, Answer
from grader.sandbox.child.error_messages import LARGER_THAN_ITS_SLOT
from grader.sandbox.job import RunStatus
from grader.sandbox.result_layout import (
    DIMENSIONS_MAX,
    DTYPE_BYTES,
    ENTRY,
    FLAGS,
    HEADER,
    PRINTED_AT,
    SENTENCE_BYTES,
    STATUSES,
    TABLE_AT,
    TABLE_END,
    EntryState,
    Layout,
    Phase,
)

_CUT: Final = b"\n    ...\n"  # stands for the middle of a message that is too long


class ResultWriter:
    """Write a result into a mapping. One writer serves the rehearsal, and then the run."""

    def __init__(self, buffer: mmap.mmap) -> None:
        self._buffer = buffer
        self._address = ctypes.addressof(ctypes.c_char.from_buffer(buffer))
        self._printed = 0
        self._layout = Layout((), (), 0, 0, 0, 0)

    def begin(self, layout: Layout) -> None:
        """Start a run: from here on the header counts."""
        self._layout = layout
        self._printed = 0
        self._buffer[: HEADER.size] = HEADER.pack(Phase.RUNNING, 0, 0, 0, 0)

    def print(self, text: bytes) -> bool:
        """Append to standard output. Return False if not all of it fitted."""
        room = self._layout.stdout_bytes - self._printed
        part = text[:room]
        start = self._layout.stdout_at + self._printed
        self._buffer[start : start + len(part)] = part
        self._printed += len(part)
        struct.pack_into("=I", self._buffer, PRINTED_AT, self._printed)
        return len(text) <= room

    def answer(self, index: int, answer: Answer) -> None:
        """Write one answer into its slot. A tensor that does not fit is described by its shape."""
        capacity = self._layout.slots[index].capacity
        state, dtype, length, sentence = EntryState.NOTHING, 0, 0, answer.misfit or ""
        tensor, shape = answer.tensor, answer.shape or ()
        if tensor is not None and tensor.nbytes > capacity:
            tensor = None
            sentence = LARGER_THAN_ITS_SLOT.format(shape=list(shape))
        if tensor is not None:
            state, dtype, length = EntryState.TENSOR, DTYPES.index(tensor.dtype), tensor.nbytes
            if length:
                ctypes.memmove(self._address + self._layout.data_at[index], tensor.data_ptr(), length)
        elif answer.shape is not None and len(shape) <= DIMENSIONS_MAX:
            state = EntryState.MISFIT
        else:
            state, shape = EntryState.MISFIT_WITHOUT_SHAPE, ()
        ENTRY.pack_into(
            self._buffer,
            TABLE_AT + index * ENTRY.size,
            state,
            dtype,
            len(shape),
            sum(1 << NOTES.index(note) for note in answer.notes),
            length,
            *shape,
            *(0,) * (DIMENSIONS_MAX - len(shape)),
            (answer.dtype or "").encode()[:DTYPE_BYTES],
            sentence.encode()[:SENTENCE_BYTES],
        )

    def finish(self, status: RunStatus, message: str, flags: Sequence[str]) -> None:
        """Write the status and the message, and then the last mark. Everything else is already written."""
        text = message.encode("utf-8", "replace")
        room = self._layout.message_bytes
        if len(text) > room:  # the beginning says where it happened, the end says what
            half = (room - len(_CUT)) // 2
            text = text[:half] + _CUT + text[len(text) - half :]
        self._buffer[self._layout.message_at : self._layout.message_at + len(text)] = text
        flag_bits = sum(1 << FLAGS.index(flag) for flag in flags)
        index = STATUSES.index(status)
        self._buffer[: HEADER.size] = HEADER.pack(Phase.FINISHED, index, flag_bits, self._printed, len(text))

    def erase(self) -> None:
        """Forget a rehearsal: what the trusted side reads must come from the run."""
        self._buffer[:TABLE_END] = bytes(TABLE_END)
