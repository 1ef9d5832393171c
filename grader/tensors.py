"""Answers handed in as a safetensors file. The file is untrusted input.

Beside the answers a file may hold *context*: an entry ``context.dhpreact`` says what the student has for ``dhpreact``
above. It is never graded. It tells a mistake of this step from one that came from above.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import safetensors
import torch

from exercises.exercise import Checkpoint
from grader.answer import LARGEST_BYTES, Answer, can_be_held, normalise

# The name that a safetensors header gives to each dtype that a gradient may have.
DTYPE_NAMES = {
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

# Each name in the header costs microseconds: a large file of empty tensors would cost seconds. 26 names take 2 KiB.
HEADER_BYTES_MAX = 64 * 1024
CONTEXT_PREFIX = "context."
HOW_TO_WRITE = "Write one with safetensors.torch.save_file({'dlogits': dlogits, …}, 'answer.safetensors')."


class BadAnswer(ValueError):
    """Bytes that are not a safetensors file: there is nothing to grade."""


@dataclass(frozen=True)
class TensorFile:
    """What a file holds: checkpoint name → answer, and the context likewise.

    No checkpoint is in both.
    """

    answers: Mapping[str, Answer]
    context: Mapping[str, Answer]


def read_answers(checkpoints: Sequence[Checkpoint], content: bytes) -> TensorFile:
    """Return the answers and the context that a file holds for these checkpoints.

    The file may name a gradient ``dlogits`` or ``logits``; ``dlogits`` counts if both are there. An answer counts, not
    the context of the same name. safetensors itself checks the header: offsets within the file, no gaps, no overlaps,
    and the bytes that shape and dtype ask for.

    :raises BadAnswer: the bytes are not a safetensors file, or its header is too long
    """
    if HEADER_BYTES_MAX < int.from_bytes(content[:8], "little") < len(content):
        raise BadAnswer(f"this is not a safetensors file, or one of thousands of tensors. {HOW_TO_WRITE}")
    try:
        tensors = dict(safetensors.deserialize(content))  # type: ignore[no-untyped-call]
    except safetensors.SafetensorError as error:
        raise BadAnswer(f"this is not a safetensors file ({error}). {HOW_TO_WRITE}") from None
    answers = _entries(checkpoints, tensors)
    has_context = any(name.startswith(CONTEXT_PREFIX) for name in tensors)
    context = _entries(checkpoints, tensors, CONTEXT_PREFIX) if has_context else {}
    return TensorFile(
        {name: _read(entry) for name, entry in answers.items()},
        {name: _read(entry) for name, entry in context.items() if name not in answers},
    )


def only_answers(checkpoints: Sequence[Checkpoint], content: bytes) -> bytes:
    """Return a file with the answers and the context for these checkpoints alone. It was read without an error.

    The rows of its grade are the same. A file with nothing else in it comes back as it is. The layout is that of
    safetensors: the length of the header, the header as JSON, the data that its offsets point at.
    """
    data = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:data])
    names = {name for each in checkpoints for name in (each.answer, each.name)}
    wanted = names | {CONTEXT_PREFIX + name for name in names}
    if wanted.issuperset(header):
        return content
    kept, pieces, end = {}, [], 0
    for name, entry in header.items():
        if name in wanted:
            first, last = entry["data_offsets"]
            pieces.append(content[data + first : data + last])
            kept[name] = entry | {"data_offsets": [end, end := end + last - first]}
    text = json.dumps(kept, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)  # the data is aligned
    return b"".join([len(text).to_bytes(8, "little"), text, *pieces])


def _entries(checkpoints: Sequence[Checkpoint], tensors: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return checkpoint name → entry of the file, for the entries whose names start with the prefix."""
    entries = {}
    for each in checkpoints:
        for name in (prefix + each.answer, prefix + each.name):
            if name in tensors:
                entries[each.name] = tensors[name]
                break
    return entries


def _read(entry: Mapping[str, Any]) -> Answer:
    dtype = DTYPE_NAMES.get(entry["dtype"])
    if dtype is None:
        return Answer(None, misfit=f"{entry['dtype']} is no type that can be compared; save it as float32")
    shape = entry["shape"]
    if not can_be_held(shape, LARGEST_BYTES):  # safetensors checks a shape up to its first zero only
        return Answer(None, misfit="its shape is larger than that of any gradient here; look at it", shape=tuple(shape))
    if not entry["data"]:
        return normalise(torch.empty(shape, dtype=dtype))
    return normalise(torch.frombuffer(bytearray(entry["data"]), dtype=dtype).reshape(shape))
