"""A tape holds the named tensors of a forward pass while its lines are played, step by step.

A line reads values by their names and writes one. The same lines can be played in two ways:

1. ``Tape`` plays them plainly. One backward pass leaves PyTorch's gradient in every named tensor, bit for bit the
   lecture's.
2. ``CutTape`` cuts the graph between the steps. So the gradients of a student can be fed in at every step, and each
   step gives the gradient that is right for them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

import torch
from torch import Tensor

CONSTANT_DTYPES: Final = (torch.int64, torch.float64, torch.bool)


class Tape:
    """Hold the values of a forward pass that is played plainly, and the gradient of each.

    ``given`` holds the tensors that no step computes: parameters, the minibatch, constants. A constant is read as a
    number, see ``is_constant``. ``data`` are names of those that are no leaf: nobody asks for their gradient.
    """

    def __init__(self, given: Mapping[str, Tensor], data: Collection[str] = ()) -> None:
        self._given = given
        self._data = set(data)
        self._values: dict[str, Any] = {name: self._prepare(name, value) for name, value in given.items()}

    def read(self, name: str) -> Any:
        """Return a value as a line gets it: a number for a constant, the tensor otherwise.

        :raises LookupError: it is not given, and no step has set it yet
        """
        try:
            return self._values[name]
        except KeyError:
            raise LookupError(f"the forward pass reads {name!r} before any step sets it") from None

    def write(self, name: str, value: Tensor, behind_wall: Collection[str] = ()) -> None:
        """Set the value of a step. ``behind_wall`` are the names that it reads and no gradient goes back to.

        :raises ValueError: it is set already
        """
        self._check_unset(name)
        value.retain_grad()
        self._values[name] = value

    def freeze(self, name: str, value: Tensor) -> None:
        """Set a value that counts as data from here on: it has no gradient, and nothing goes back through it.

        :raises ValueError: it is set already
        """
        self._check_unset(name)
        self._data.add(name)
        self._values[name] = value.detach()

    @property
    def loss(self) -> Tensor:
        """The value of the step of this name."""
        value: Tensor = self.read("loss")
        return value

    def values(self) -> dict[str, Tensor]:
        """Return every named tensor so far, detached, in the order in which the steps set them."""
        return {
            name: value.detach() if isinstance(value, Tensor) else self._given[name]
            for name, value in self._values.items()
        }

    def gradients(self) -> dict[str, Tensor]:
        """Return name → gradient of the loss, after its backward pass.

        Each has the shape of the named tensor. A tensor that the loss does not depend on is left out.
        """
        return {
            name: value.grad
            for name, value in self._values.items()
            if isinstance(value, Tensor) and value.requires_grad and value.grad is not None
        }

    def _prepare(self, name: str, value: Tensor) -> Any:
        """Return a given tensor as lines read it."""
        if name in self._data:
            return self._converted(value)
        return value.item() if is_constant(value) else self._as_leaf(value)

    def _converted(self, value: Tensor) -> Tensor:
        return value.detach()

    def _as_leaf(self, value: Tensor) -> Tensor:
        return value.detach().clone().requires_grad_(value.is_floating_point())

    def _check_unset(self, name: str) -> None:
        if name in self._values:
            raise ValueError(f"the forward pass sets {name!r} twice: give every step a name of its own")


@dataclass(frozen=True)
class Step:
    """One line of the forward pass, cut out: ``output`` depends on ``reads`` and on nothing else."""

    name: str
    output: Tensor
    reads: Mapping[str, Tensor]


class CutTape(Tape):
    """Hold the values of a forward pass whose steps share no graph: each step reads fresh, detached leaves."""

    def __init__(self, given: Mapping[str, Tensor], data: Collection[str] = ()) -> None:
        super().__init__(given, data)
        self._steps: list[Step] = []
        self._leaves: dict[str, Tensor] = {}

    @property
    def steps(self) -> tuple[Step, ...]:
        """The steps in the order of the forward pass."""
        return tuple(self._steps)

    def read(self, name: str) -> Any:
        """Return a value as a line gets it: a number for a constant, a leaf for what has a gradient.

        :raises LookupError: it is not given, and no step has set it yet
        """
        leaf = self._leaves.get(name)
        if leaf is not None:
            return leaf
        value = super().read(name)
        if name in self._data or not isinstance(value, Tensor) or not value.is_floating_point():
            return value
        self._leaves[name] = leaf = value.detach().requires_grad_()
        return leaf

    def write(self, name: str, value: Tensor, behind_wall: Collection[str] = ()) -> None:
        """Set the value of a step, which read everything that was read since the last one.

        :raises ValueError: it is set already
        """
        self._check_unset(name)
        self._steps.append(
            Step(name, value, {read: at for read, at in self._leaves.items() if read not in behind_wall})
        )
        self._leaves.clear()
        self._values[name] = value.detach()

    def freeze(self, name: str, value: Tensor) -> None:
        """Set a value that counts as data from here on. It is no step.

        :raises ValueError: it is set already
        """
        self._leaves.clear()
        super().freeze(name, value)

    def _as_leaf(self, value: Tensor) -> Tensor:
        return self._converted(value)  # each step has leaves of its own


def is_constant(tensor: Tensor) -> bool:
    """Return whether a tensor of a forward state is a constant of the lecture, such as ``n``.

    A constant is a zero-dimensional tensor of int64, float64 or bool, and code gets it as a Python number. The sandbox
    and the client have this rule once more, because neither may import this module;
    ``tests/exercises/test_constants.py`` compares them.
    """
    return tensor.dim() == 0 and tensor.dtype in CONSTANT_DTYPES


def constants(tensors: Mapping[str, Tensor]) -> dict[str, int | float]:
    """Return name → number for the constants among the tensors; a bool is one."""
    return {name: tensor.item() for name, tensor in tensors.items() if is_constant(tensor)}


def variables(tensors: Mapping[str, Tensor]) -> dict[str, Any]:
    """Return the tensors as code gets them: a number for each constant, the tensor itself otherwise."""
    return {name: tensor.item() if is_constant(tensor) else tensor for name, tensor in tensors.items()}
