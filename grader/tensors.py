"""Answers handed in as tensors: a safetensors file, read as data that may lie."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import safetensors
import torch

from exercises.exercise import Checkpoint
from grader.answer import LARGEST_BYTES, Answer, can_be_held, normalise

# What a safetensors header calls a type that a gradient could come in.
DTYPES = {
    "F64": torch.float64,
    "F32": torch.float32,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "I64": torch.int64,
    "I32": torch.int32,
    "I16": torch.int16,
    "I8": torch.int8,
    "U8": torch.uint8,
    "BOOL": torch.bool,
    "C64": torch.complex64,
}


# Each name in the header costs microseconds, so that a large file of empty tensors would cost seconds; 26 take 2 KiB.
MOST_HEADER_BYTES = 64 * 1024
HOW = "Write one with safetensors.torch.save_file({'dlogits': dlogits, …}, 'answer.safetensors')."


class BadAnswer(ValueError):
    """Bytes that are no file of tensors: there is nothing to grade."""


def read_answers(checkpoints: Iterable[Checkpoint], content: bytes) -> dict[str, Answer]:
    """Checkpoint name → answer, for those that the file holds as ``dlogits`` or as ``logits``.

    The header is checked by safetensors itself: offsets within the file, no gaps, no overlaps, and as many
    bytes as shape and type ask for.

    :raises BadAnswer: the bytes are no safetensors file
    """
    if MOST_HEADER_BYTES < int.from_bytes(content[:8], "little") < len(content):
        raise BadAnswer(f"this is not a safetensors file, or one of thousands of tensors. {HOW}")
    try:
        found = dict(safetensors.deserialize(content))  # type: ignore[no-untyped-call]
    except safetensors.SafetensorError as error:
        raise BadAnswer(f"this is not a safetensors file ({error}). {HOW}") from None
    entries = {each.name: found.get(each.answer, found.get(each.name)) for each in checkpoints}
    return {name: _read(entry) for name, entry in entries.items() if entry is not None}


def _read(entry: Mapping[str, Any]) -> Answer:
    dtype = DTYPES.get(entry["dtype"])
    if dtype is None:
        return Answer(None, misfit=f"{entry['dtype']} is no type that can be compared; save it as float32")
    shape = entry["shape"]
    if not can_be_held(shape, LARGEST_BYTES):  # safetensors looks no further than the first zero of a shape
        return Answer(None, misfit="its shape is larger than that of any gradient here; look at it", shape=tuple(shape))
    if not entry["data"]:
        return normalise(torch.empty(shape, dtype=dtype))
    return normalise(torch.frombuffer(bytearray(entry["data"]), dtype=dtype).reshape(shape))
