"""Tensors as safetensors bytes. torch is imported only when a tensor is made."""

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
# A number is NaN or infinite if all bits of its exponent are set.
_FLOATS = {
    "F64": ("float64", "Q", 0x7FF0000000000000),
    "F32": ("float32", "I", 0x7F800000),
    "F16": ("float16", "H", 0x7C00),
    "BF16": ("bfloat16", "H", 0x7F80),
}
_OTHERS = {"I64": "int64", "I32": "int32", "I16": "int16", "I8": "int8", "U8": "uint8", "BOOL": "bool"}


class NotATensor(DojoError):
    """A value cannot be sent as a tensor."""


@dataclass(frozen=True)
class TensorInfo:
    """A tensor as far as it can be described without torch. ``finite`` is None if the dtype has no exponent."""

    shape: tuple[int, ...]
    dtype: str
    finite: bool | None


def describe(content: bytes, path: object = "the file") -> dict[str, TensorInfo]:
    """Return name → shape, dtype and finiteness of a safetensors file. Needs no torch.

    :raises BadFile: the bytes are not safetensors
    """
    return {
        name: TensorInfo(tuple(entry["shape"]), _torch_dtype(entry["dtype"]), _is_finite(entry["dtype"], entry["data"]))
        for name, entry in _entries(content, path).items()
    }


def shapes(content: bytes, path: object) -> dict[str, tuple[int, ...]]:
    """Return name → shape of a safetensors file. Needs no torch.

    :raises BadFile: the bytes are not safetensors
    """
    return {name: tuple(entry["shape"]) for name, entry in _entries(content, path).items()}


def _entries(content: bytes, path: object) -> dict[str, dict[str, Any]]:
    try:
        return dict(safetensors.deserialize(content))  # type: ignore[no-untyped-call]
    except safetensors.SafetensorError as error:
        raise BadFile(
            f"{path} is no safetensors file ({error}).",
            "Write it with: safetensors.torch.save_file({'dlogits': dlogits, …}, 'answers.safetensors')",
        ) from error


def _torch_dtype(name: str) -> str:
    return _FLOATS[name][0] if name in _FLOATS else _OTHERS.get(name, name)


def _is_finite(dtype: str, data: bytes) -> bool | None:
    if dtype not in _FLOATS:
        return None
    _, type_code, exponent = _FLOATS[dtype]
    return all(bits & exponent != exponent for bits in array(type_code, bytes(data)))


def load(content: bytes) -> dict[str, Any]:
    """Return a forward state as variables: tensors, and Python numbers for the constants.

    :raises TorchMissing: torch is not installed
    """
    _import_torch()
    import safetensors.torch

    tensors = safetensors.torch.load(content)
    return {name: tensor.item() if is_constant(tensor) else tensor for name, tensor in tensors.items()}


def is_constant(tensor: Tensor) -> bool:
    """Return whether a tensor of a forward state is a constant, such as ``n``.

    It has no dimension, and is an int64, a float64 or a bool.

    The server has the same rule; ``tests/client/test_tensors.py`` compares the two over HTTP.
    """
    torch = _import_torch()
    return tensor.dim() == 0 and tensor.dtype in (torch.int64, torch.float64, torch.bool)


def save(answers: Mapping[str, Any]) -> bytes:
    """Return variables as safetensors bytes.

    :raises NotATensor: a value is no tensor, or its dtype cannot be sent
    :raises TorchMissing: torch is not installed
    """
    tensors = {name: plain(name, value) for name, value in answers.items()}
    import safetensors.torch

    try:
        return safetensors.torch.save(tensors)
    except (ValueError, KeyError, safetensors.SafetensorError) as error:
        dtypes = ", ".join(sorted({str(tensor.dtype).removeprefix("torch.") for tensor in tensors.values()}))
        raise NotATensor(f"These tensors cannot be sent ({dtypes}).", "A gradient is float32 here.") from error


def plain(name: str, value: Any) -> Tensor:
    """Return a value as a dense, detached, contiguous tensor in main memory that shares no memory.

    :raises NotATensor: the value is no tensor
    :raises TorchMissing: torch is not installed
    """
    torch = _import_torch()
    if value is None:
        raise NotATensor(f"{name} is None.", "Assign a tensor to it first.")
    if type(value).__module__ == "numpy":
        value = torch.as_tensor(value)
    if not isinstance(value, torch.Tensor):
        kind = type(value).__name__
        article = "an" if kind[:1].lower() in "aeiou" else "a"
        raise NotATensor(f"{name} is {article} {kind}, not a tensor.", "A gradient is a torch.Tensor.")
    if value.is_meta:
        raise NotATensor(f"{name} is a meta tensor, which holds no numbers.", "Compute it on the CPU.")
    tensor = value.detach()
    if tensor.is_quantized:
        tensor = tensor.dequantize()
    if tensor.layout is not torch.strided:
        tensor = tensor.to_dense()
    tensor = tensor.as_subclass(torch.Tensor).cpu().resolve_conj().resolve_neg()
    copy: Tensor = tensor.clone(memory_format=torch.contiguous_format)
    return copy


def _import_torch() -> Any:
    try:
        import torch
    except ImportError as error:
        raise TorchMissing from error
    return torch
