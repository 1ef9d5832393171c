"""An answer: what a student handed in for one checkpoint, as a plain tensor that can be compared.

The sandbox's child uses this module, where the value is any object of the student's code; so does the trusted grader,
where the value is a tensor from a file. So ``normalise`` returns an ``Answer`` for every value and never raises.

The dtype is kept: float64 stays float64. The comparison converts it to the dtype of the expected gradient and notes so.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import torch

# Every note that ``normalise`` makes. The set is fixed: the sandbox hands notes over as bits, not as text.
NUMPY: Final = "a numpy array, read as a tensor"
SUBCLASS: Final = "a tensor subclass, read as a plain tensor"
DETACHED: Final = "requires_grad, detached"
DENSE: Final = "sparse, made dense"
DEQUANTISED: Final = "quantised, made float32"
CONVERTED: Final = "a dtype of unusual width, read as float32"
# The sandbox makes this note: the value handed to cmp is not the value of the variable at the end (the aliasing bug).
CHANGED_AFTER_CMP: Final = "changed_after_cmp"
# The sandbox makes these notes about a call of cmp, too.
LABEL_DIFFERS: Final = "the label given to cmp names another step; the tensor, its third argument, decides"
SWAPPED: Final = "the arguments of cmp were swapped; write the gradient first, then the tensor"
OTHER_VARIABLE: Final = "cmp got the variable of another step here; hand it the one named after this step"
NOTES: Final = (
    NUMPY,
    SUBCLASS,
    DETACHED,
    DENSE,
    DEQUANTISED,
    CONVERTED,
    CHANGED_AFTER_CMP,
    LABEL_DIFFERS,
    SWAPPED,
    OTHER_VARIABLE,
)

# The dtypes of an answer's tensor. A tensor of another dtype is converted, or is a misfit.
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
    torch.complex64,  # no gradient is complex; kept, so that the comparison can say so
)
MOST_DIMENSIONS: Final = 8
# Larger than any gradient of an exercise, and small enough to be made dense without harm to the grader.
LARGEST_BYTES: Final = 64 * 1024 * 1024

_disregard_overrides: Final = torch._C.DisableTorchFunction
_DTYPES_KEPT: Final = frozenset(DTYPES)
_type_name = type.__dict__["__name__"].__get__  # not __name__: a metaclass can redefine it


@dataclass(frozen=True, eq=False, slots=True)
class Answer:
    """The answer for one checkpoint.

    ``tensor`` is a plain, dense, detached, contiguous CPU tensor of a dtype in ``DTYPES``, with at most
    ``MOST_DIMENSIONS`` dimensions and at most the allowed bytes; None if there is nothing to compare. ``notes`` say
    what was done to the value (a subset of ``NOTES``). ``misfit`` says why there is no tensor, in a sentence for the
    student. ``shape`` and ``dtype`` ("float64") are those of the value handed in; None if unknown.
    """

    tensor: torch.Tensor | None
    notes: tuple[str, ...] = ()
    misfit: str | None = None
    shape: tuple[int, ...] | None = None
    dtype: str | None = None


def missing(variable: str) -> Answer:
    """Return the answer of a checkpoint whose variable (``dlogits``) was never assigned."""
    return Answer(None, misfit=f"{variable} was never assigned; assign it, or hand it to cmp")


def unreached(variable: str) -> Answer:
    """Return the answer of a checkpoint whose variable was not assigned in a run that stopped with an error."""
    return Answer(None, misfit=f"{variable} was not assigned when the code stopped; mend what stopped it first")


def unread(variable: str) -> Answer:
    """Return the answer of a checkpoint whose run was stopped, so that nothing is known of its variable."""
    return Answer(
        None, misfit=f"the run was stopped before {variable} could be read; mend what stopped it, and submit again"
    )


def normalise(value: object, largest_bytes: int = LARGEST_BYTES) -> Answer:
    """Read any object as an answer. Never raises.

    The tensor may share memory with ``value``. A tensor of more than ``largest_bytes`` bytes is a misfit.
    """
    # A tensor subclass can redefine every method and attribute, and so can a torch function mode that the student's
    # code entered and did not leave. torch disregards both inside this block.
    with _disregard_overrides():
        return _normalise(value, largest_bytes)


def _normalise(value: object, largest_bytes: int) -> Answer:
    if type(value) is torch.Tensor:  # the usual case, without the general path: a run hands in dozens
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
        except Exception:  # a plain tensor can still lack data (fake, functional); the general path says so
            pass
    try:
        return _read(value, largest_bytes)
    except BaseException as error:  # the student's object can raise anything, SystemExit included
        return Answer(
            None,
            misfit=f"{_kind(value)} could not be read as a tensor ({_type_name(type(error))}); hand in a plain tensor",
        )


def can_be_held(shape: Sequence[int], most: int) -> bool:
    """Whether torch can hold a claimed shape of at most ``most`` elements.

    The other dimensions of an empty tensor can be any numbers; torch raises if the product of the nonzero ones
    overflows, so zeros are left out of the product.
    """
    return len(shape) <= MOST_DIMENSIONS and math.prod(max(length, 1) for length in shape) <= max(most, 1)


def dtype_name(dtype: torch.dtype) -> str:
    """Return the dtype's name without ``torch.``: "float32"."""
    return str(dtype).removeprefix("torch.")


def _read(value: Any, largest_bytes: int) -> Answer:
    notes: list[str] = []
    if not issubclass(type(value), torch.Tensor):  # not isinstance: an object can redefine __class__
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
    # Checked before the tensor is made dense: a sparse or expanded tensor claims any number of elements and holds one.
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
    """Return the value as a plain array that torch can read; None if it is not an array."""
    import numpy  # imported here: only an answer that is not a tensor needs it

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
