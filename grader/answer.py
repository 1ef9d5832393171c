"""What a student handed in for one checkpoint, brought into a form that can be compared.

Used on both sides of the wall: in the sandbox's child, where the value is an object of the student's making,
and in the trusted grader, where it is a tensor read from a file. So `normalise` is total: whatever the value
is and whatever it does when touched, the outcome is an `Answer`, never an exception.

The dtype is kept (float64 stays float64): converting it to the dtype of the expected gradient, and saying so,
is the comparison's business.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import torch

# Every note `normalise` can make. A fixed vocabulary, because the sandbox hands notes over as bits, not as
# text.
NUMPY: Final = "a numpy array, read as a tensor"
SUBCLASS: Final = "a tensor subclass, read as a plain tensor"
DETACHED: Final = "requires_grad, detached"
DENSE: Final = "sparse, made dense"
DEQUANTISED: Final = "quantised, made float32"
CONVERTED: Final = "a dtype of unusual width, read as float32"
# Made by the sandbox: what was handed to cmp is not what the variable held at the end. It is the aliasing
# bug.
CHANGED_AFTER_CMP: Final = "changed_after_cmp"
NOTES: Final = (NUMPY, SUBCLASS, DETACHED, DENSE, DEQUANTISED, CONVERTED, CHANGED_AFTER_CMP)

# The dtypes an Answer's tensor can have. All others are converted, or are a misfit.
DTYPES: Final = (
    torch.float32,
    torch.float64,
    torch.float16,
    torch.bfloat16,
    torch.int64,
    torch.int32,
    torch.int16,
    torch.int8,
    torch.uint8,
    torch.bool,
    torch.complex64,  # no gradient is complex; kept so that the comparison can say so
)
MOST_DIMENSIONS: Final = 8
# Larger than any gradient asked for; small enough that making a claimed giant dense cannot hurt the grader.
LARGEST_BYTES: Final = 64 * 1024 * 1024

_disregard_overrides: Final = torch._C.DisableTorchFunction
_DTYPES_KEPT: Final = frozenset(DTYPES)
_type_name = type.__dict__["__name__"].__get__  # a metaclass can lie about __name__, and can raise; the slot cannot


@dataclass(frozen=True, eq=False, slots=True)
class Answer:
    """One checkpoint's answer.

    `tensor`  a plain, dense, detached, contiguous CPU tensor with a dtype of DTYPES, at most MOST_DIMENSIONS
              dimensions and at most the allowed bytes; None where there is nothing to compare.
    `notes`   what had to be done to the value, out of NOTES.
    `misfit`  where there is no tensor, why, in a sentence for the student.
    `shape`, `dtype`  what the student handed in, as far as it is known ("float64"; without "torch.").
    """

    tensor: torch.Tensor | None
    notes: tuple[str, ...] = ()
    misfit: str | None = None
    shape: tuple[int, ...] | None = None
    dtype: str | None = None


def missing(variable: str) -> Answer:
    """The answer of a checkpoint for which nothing was handed in. `variable` is the name asked for,
    "dlogits".
    """
    return Answer(None, misfit=f"{variable} was never assigned; assign it, or hand it to cmp")


def normalise(value: object, largest_bytes: int = LARGEST_BYTES) -> Answer:
    """Read any object as an answer. Total: raises nothing. The tensor may share memory with `value`."""
    # A tensor subclass may redefine every method and attribute, and a mode that was entered and never left
    # may answer in torch's place; inside this block torch minds neither.
    with _disregard_overrides():
        return _normalise(value, largest_bytes)


def _normalise(value: object, largest_bytes: int) -> Answer:
    if type(value) is torch.Tensor:  # the usual case first: a run hands in dozens of these
        try:
            if (
                value.layout is torch.strided
                and value.dtype in _DTYPES_KEPT
                and value.device.type == "cpu"
                and not value.requires_grad
                and value.is_contiguous()
                and not value.is_neg()
                and not value.is_conj()
                and not value.is_nested
                and value.dim() <= MOST_DIMENSIONS
                and 0 < value.nbytes <= largest_bytes
                and value.data_ptr() != 0
            ):
                return Answer(value, shape=tuple(value.shape), dtype=dtype_name(value.dtype))
        except Exception:  # a plain tensor can still be hollow (fake, functional); the long way names it
            pass
    try:
        return _read(value, largest_bytes)
    except BaseException as reason:  # a foreign object may raise anything, SystemExit and its kin included
        return Answer(
            None,
            misfit=f"{_kind(value)} could not be read as a tensor ({_type_name(type(reason))}); hand in a plain tensor",
        )


def can_be_held(shape: Sequence[int], most: int) -> bool:
    """Whether a claimed shape is one that torch can hold. An empty tensor's other dimensions may be any
    numbers, and torch raises where the product of those that are not zero overflows.
    """
    return len(shape) <= MOST_DIMENSIONS and math.prod(max(length, 1) for length in shape) <= max(most, 1)


def dtype_name(dtype: torch.dtype) -> str:
    """ "float32" for torch.float32."""
    return str(dtype).removeprefix("torch.")


def _read(value: Any, largest_bytes: int) -> Answer:
    notes: list[str] = []
    if not issubclass(type(value), torch.Tensor):  # never isinstance: an object can lie about its __class__
        array = _numpy_array(value)
        if array is None:
            return Answer(None, misfit=_not_a_tensor(value))
        notes.append(NUMPY)
        value = torch.from_numpy(array)
    tensor: torch.Tensor = value
    if type(value) is not torch.Tensor:
        tensor = torch.Tensor.as_subclass(value, torch.Tensor)
        if type(value) is not torch.nn.Parameter:
            notes.append(SUBCLASS)
    dtype = dtype_name(tensor.dtype)
    if tensor.is_nested:
        return Answer(None, tuple(notes), "a nested tensor has no single shape; hand in a plain tensor", None, dtype)
    shape = tuple(int(length) for length in tensor.shape)

    def misfit(sentence: str) -> Answer:
        return Answer(None, tuple(notes), sentence, shape, dtype)

    if tensor.is_meta or tensor.device.type != "cpu":
        return misfit(f"a tensor on the device {tensor.device.type!r} holds no data here; hand in a CPU tensor")
    if len(shape) > MOST_DIMENSIONS:
        return misfit(f"{len(shape)} dimensions are more than any gradient here has; look at its shape")
    # Before anything makes it dense: a sparse or expanded tensor can claim any number of elements and hold
    # one.
    elements = tensor.numel()
    if elements * max(tensor.element_size(), 4) > largest_bytes:
        return misfit(f"{elements} elements are more than any gradient here has; look at its shape")

    if tensor.requires_grad:
        notes.append(DETACHED)
        tensor = tensor.detach()
    if tensor.is_quantized:
        notes.append(DEQUANTISED)
        tensor = tensor.dequantize()
    if tensor.layout is not torch.strided:
        notes.append(DENSE)
        tensor = tensor.to_dense()
    if tensor.dtype.is_complex:
        tensor = tensor.to(torch.complex64)
    elif tensor.dtype not in _DTYPES_KEPT:
        notes.append(CONVERTED)
        tensor = tensor.to(torch.float32)
    tensor = tensor.resolve_conj().resolve_neg().contiguous()
    if tensor.numel() != 0 and tensor.data_ptr() == 0:
        return misfit("this tensor holds no data (it is fake); hand in a plain tensor")
    if tensor.numel() * tensor.element_size() > largest_bytes:
        return misfit(f"{elements} elements are more than any gradient here has; look at its shape")
    return Answer(tensor, tuple(notes), None, shape, dtype)


def _numpy_array(value: object) -> Any:
    """The value as a plain array that torch can read, or None where it is no array."""
    import numpy  # here, not above: the comparison of files needs no numpy

    if not issubclass(type(value), numpy.ndarray):
        return None
    plain = numpy.asarray(value).view(numpy.ndarray)
    return numpy.array(plain, dtype=plain.dtype.newbyteorder("="), order="C", copy=True)


def _kind(value: object) -> str:
    return f"a value of type {_type_name(type(value))[:40]}"


def _not_a_tensor(value: object) -> str:
    if value is None:
        return "None is not a tensor; assign the gradient you derived"
    name = _type_name(type(value))[:40]
    article = "an" if name[:1].lower() in "aeiou" else "a"
    return f"{article} {name} is not a tensor; hand in a tensor (torch.tensor makes one)"
