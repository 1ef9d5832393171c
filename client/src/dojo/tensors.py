"""Tensors: in and out of safetensors. torch is imported only when one is touched."""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import safetensors

from dojo.errors import BadFile, DojoError, TorchMissing

if TYPE_CHECKING:
    from torch import Tensor

# safetensors' name → torch's name, the array type code that holds its bits, and the bits of its exponent.
# A number is NaN or infinite where all bits of the exponent are set.
_FLOATS = {
    "F64": ("float64", "Q", 0x7FF0000000000000),
    "F32": ("float32", "I", 0x7F800000),
    "F16": ("float16", "H", 0x7C00),
    "BF16": ("bfloat16", "H", 0x7F80),
}
_OTHERS = {"I64": "int64", "I32": "int32", "I16": "int16", "I8": "int8", "U8": "uint8", "BOOL": "bool"}


class Misfit(DojoError):
    """A value that cannot be handed in as a tensor."""


@dataclass(frozen=True)
class Described:
    """What can be said about a tensor without torch. ``finite`` is None where the dtype holds no such
    numbers."""

    shape: tuple[int, ...]
    dtype: str
    finite: bool | None


def describe(content: bytes, path: object = "the file") -> dict[str, Described]:
    """Name → shape, dtype, finite, of a safetensors file; needs no torch. Raises BadFile."""
    return {
        name: Described(tuple(each["shape"]), _dtype(each["dtype"]), _finite(each["dtype"], each["data"]))
        for name, each in _entries(content, path).items()
    }


def shapes(content: bytes, path: object) -> dict[str, tuple[int, ...]]:
    """Name → shape, of a safetensors file."""
    return {name: tuple(each["shape"]) for name, each in _entries(content, path).items()}


def _entries(content: bytes, path: object) -> dict[str, dict[str, Any]]:
    try:
        return dict(safetensors.deserialize(content))  # type: ignore[no-untyped-call]
    except safetensors.SafetensorError as error:
        raise BadFile(
            f"{path} is no safetensors file ({error}).",
            "Write it with: safetensors.torch.save_file({'dlogits': dlogits, …}, 'answers.safetensors')",
        ) from error


def _dtype(name: str) -> str:
    return _FLOATS[name][0] if name in _FLOATS else _OTHERS.get(name, name)


def _finite(dtype: str, data: bytes) -> bool | None:
    if dtype not in _FLOATS:
        return None
    _, code, exponent = _FLOATS[dtype]
    return all(bits & exponent != exponent for bits in array(code, bytes(data)))


def load(content: bytes) -> dict[str, Any]:
    """A forward state as variables: tensors, and Python ints for the constants (int64 without a dimension).

    Raises TorchMissing.
    """
    torch = _torch()
    import safetensors.torch

    tensors = safetensors.torch.load(content)
    return {
        name: int(tensor) if tensor.dim() == 0 and tensor.dtype == torch.int64 else tensor
        for name, tensor in tensors.items()
    }


def save(answers: Mapping[str, Any]) -> bytes:
    """Variables to safetensors bytes. Raises Misfit for a value that is no tensor, TorchMissing."""
    tensors = {name: plain(name, value) for name, value in answers.items()}
    import safetensors.torch

    try:
        return safetensors.torch.save(tensors)
    except (ValueError, KeyError, safetensors.SafetensorError) as error:
        dtypes = ", ".join(sorted({str(each.dtype).removeprefix("torch.") for each in tensors.values()}))
        raise Misfit(f"These tensors cannot be sent ({dtypes}).", "A gradient is float32 here.") from error


def plain(name: str, value: Any) -> Tensor:
    """A value of the student's as a dense, detached, contiguous tensor in main memory, sharing nothing.

    Raises Misfit for a value that is none, TorchMissing.
    """
    torch = _torch()
    if value is None:
        raise Misfit(f"{name} is None.", "Assign a tensor to it first.")
    if type(value).__module__ == "numpy":
        value = torch.as_tensor(value)
    if not isinstance(value, torch.Tensor):
        raise Misfit(f"{name} is a {type(value).__name__}, not a tensor.", "A gradient is a torch.Tensor.")
    if value.is_meta:
        raise Misfit(f"{name} is a meta tensor, which holds no numbers.", "Compute it on the CPU.")
    tensor = value.detach()
    if tensor.is_quantized:
        tensor = tensor.dequantize()
    if tensor.layout is not torch.strided:
        tensor = tensor.to_dense()
    tensor = tensor.as_subclass(torch.Tensor).cpu().resolve_conj().resolve_neg()
    plain_one: Tensor = tensor.clone(memory_format=torch.contiguous_format)
    return plain_one


def _torch() -> Any:
    try:
        import torch
    except ImportError as error:
        raise TorchMissing from error
    return torch
