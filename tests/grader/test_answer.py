"""Any object is an answer: what is done to it is noted, and what cannot be read says why."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from grader.answer import (
    CONVERTED,
    DENSE,
    DEQUANTISED,
    DETACHED,
    MOST_DIMENSIONS,
    NUMPY,
    SUBCLASS,
    can_be_held,
    missing,
    normalise,
)

VALUES = torch.tensor([[1.0, -2.0, 3.0], [0.5, 0.25, -0.125]])


class Marked(torch.Tensor):
    """A subclass that changes nothing."""


class Lying(torch.Tensor):
    """A subclass whose every operation answers something else."""

    @classmethod
    def __torch_function__(cls, *_: object, **__: object) -> Tensor:
        return torch.zeros(7)


class Leaving:
    """An object that ends the process when it is asked for its class."""

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        raise SystemExit(3)


class Posing:
    """An object that says that it is a tensor."""

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        return torch.Tensor


def subclass(kind: type[Tensor]) -> Tensor:
    return VALUES.clone().as_subclass(kind)


def quantised() -> Tensor:
    return torch.quantize_per_tensor(VALUES, 0.125, 0, torch.qint8)


@pytest.mark.filterwarnings("ignore::UserWarning")  # quantised and nested tensors are deprecated
@pytest.mark.parametrize(
    ("value", "notes"),
    [
        (lambda: VALUES.clone(), ()),
        (lambda: VALUES.numpy(), (NUMPY,)),
        (lambda: VALUES.numpy().astype(">f4"), (NUMPY,)),
        (lambda: np.asfortranarray(VALUES.numpy()), (NUMPY,)),
        (lambda: subclass(Marked), (SUBCLASS,)),
        (lambda: subclass(Lying), (SUBCLASS,)),
        (lambda: torch.nn.Parameter(VALUES.clone(), requires_grad=False), ()),
        (lambda: torch.nn.Parameter(VALUES.clone()), (DETACHED,)),
        (lambda: VALUES.clone().requires_grad_(), (DETACHED,)),
        (lambda: VALUES.to_sparse(), (DENSE,)),
        (lambda: VALUES.to_sparse().requires_grad_(), (DETACHED, DENSE)),
        (quantised, (DEQUANTISED,)),
        (lambda: VALUES.to(torch.float8_e5m2), (CONVERTED,)),
        (lambda: VALUES.T.contiguous().T, ()),
        (lambda: (VALUES * -1j).conj().imag, ()),
        (lambda: torch._neg_view(-VALUES), ()),
    ],
)
def test_what_was_done_to_a_value_is_noted(value: Callable[[], object], notes: tuple[str, ...]) -> None:
    answer = normalise(value())

    assert answer.notes == notes
    assert answer.misfit is None
    assert type(answer.tensor) is torch.Tensor
    assert answer.tensor.is_contiguous() and not answer.tensor.requires_grad and not answer.tensor.is_neg()
    assert answer.tensor.equal(VALUES)


def test_a_mode_that_was_never_left_is_disregarded() -> None:
    class Mode(TorchFunctionMode):
        def __torch_function__(self, *_: object, **__: object) -> Tensor:
            return torch.zeros(7)

    transposed = VALUES.T.contiguous().T
    with Mode():
        answer = normalise(transposed)

    assert answer.tensor is not None and answer.tensor.equal(VALUES)


def test_the_shape_and_dtype_are_those_handed_in() -> None:
    answer = normalise(VALUES.double().to_sparse())

    assert (answer.shape, answer.dtype) == ((2, 3), "float64")
    assert answer.tensor is not None and answer.tensor.dtype is torch.float64


@pytest.mark.filterwarnings("ignore::UserWarning")  # quantised and nested tensors are deprecated
@pytest.mark.parametrize(
    ("value", "why"),
    [
        (lambda: None, "None is not a tensor; assign the gradient you derived"),
        (lambda: 3, "an int is not a tensor; hand in a tensor (torch.tensor makes one)"),
        (lambda: 0.5, "a float is not a tensor; hand in a tensor (torch.tensor makes one)"),
        (Leaving, "a Leaving is not a tensor; hand in a tensor (torch.tensor makes one)"),
        (Posing, "a Posing is not a tensor; hand in a tensor (torch.tensor makes one)"),
        (lambda: np.array(["a"]), "a value of type ndarray could not be read as a tensor (TypeError); hand in"),
        (lambda: VALUES.to("meta"), "a tensor on the device 'meta' holds no data here; hand in a CPU tensor"),
        (lambda: torch.nested.nested_tensor([VALUES[0], VALUES[0, :2]]), "a nested tensor has no single shape"),
        (lambda: torch.zeros([1] * (MOST_DIMENSIONS + 1)), "9 dimensions are more than any gradient here has"),
        (lambda: torch.zeros(()).expand(2**24 + 1), "16777217 elements are more than any gradient here has"),
        (lambda: torch.zeros(2**40, 2**20, layout=torch.sparse_coo), "elements are more than any gradient here"),
        (lambda: torch.zeros((), dtype=torch.uint8).expand(2**24 + 1), "16777217 elements are more than"),
    ],
)
def test_what_cannot_be_read_says_why(value: Callable[[], object], why: str) -> None:
    answer = normalise(value())

    assert answer.tensor is None
    assert answer.misfit is not None and why in answer.misfit


def test_the_largest_answers_are_read() -> None:
    assert normalise(torch.zeros([1] * MOST_DIMENSIONS)).tensor is not None
    assert normalise(torch.zeros(()).expand(4), 16).tensor is not None
    assert normalise(torch.zeros(()).expand(5), 16).tensor is None
    assert normalise(torch.zeros((), dtype=torch.complex128).expand(2), 16).tensor is None


@pytest.mark.parametrize(
    ("shape", "fits"),
    [
        ((2, 3), True),
        ((), True),
        ((0, 6), True),
        ((0, 7), False),
        ((2, 2, 2), False),
        ((1,) * MOST_DIMENSIONS, True),
        ((1,) * (MOST_DIMENSIONS + 1), False),
    ],
)
def test_a_claimed_shape_is_checked_before_it_is_made(shape: tuple[int, ...], fits: bool) -> None:
    assert can_be_held(shape, 6) is fits


def test_nothing_assigned_names_the_variable() -> None:
    assert missing("dlogits").misfit == "dlogits was never assigned; assign it, or hand it to cmp"
