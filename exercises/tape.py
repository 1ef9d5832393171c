"""A tape runs a forward pass that is written once, and records it step by step.

An author writes the lecture's lines with ``t.`` before every name::

    t.bnmeani = 1 / t.n * t.hprebn.sum(0, keepdim=True)
    t.bndiff = t.hprebn - t.bnmeani

A step is one such line. The same lines can be played in two ways:

1. ``Tape`` plays them plainly. One ``t.loss.backward()`` leaves PyTorch's gradient in every named tensor, bit for
   bit the lecture's.
2. ``CutTape`` cuts the graph between the steps. So the gradients of a student can be fed in at every step, and each
   step gives the gradient that is right for them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor


class Tape:
    """Play a forward pass plainly and keep the gradient of every named tensor.

    ``given`` holds the tensors that no step computes: parameters, the minibatch, constants. A constant is read as a
    Python int, see ``is_constant``.
    """

    _values: dict[str, Tensor]

    def __init__(self, given: Mapping[str, Tensor]) -> None:
        object.__setattr__(self, "_values", {name: self._prepare(value) for name, value in given.items()})

    def __getattr__(self, name: str) -> Any:
        # Python calls this only for names that are not attributes of the class: the names of the forward pass.
        # Any, not Tensor | int: the type checker cannot know which of the two a name is, and the lines should read
        # like the lecture's.
        try:
            value = self._values[name]
        except KeyError:
            raise AttributeError(f"the forward pass reads {name!r} before any step sets it") from None
        return int(value) if is_constant(value) else self._read(name, value)

    def __setattr__(self, name: str, value: Tensor) -> None:
        if name in self._values:
            raise AttributeError(f"the forward pass sets {name!r} twice: give every step a name of its own")
        self._values[name] = self._write(name, value)

    def values(self) -> dict[str, Tensor]:
        """Return every named tensor so far, detached, in the order in which the steps set them."""
        return {name: value.detach() for name, value in self._values.items()}

    def gradients(self) -> dict[str, Tensor]:
        """Return name → gradient of the loss, after ``t.loss.backward()``.

        Each has the shape of the named tensor. A tensor that the loss does not depend on is left out.
        """
        return {name: value.grad for name, value in self._values.items() if value.grad is not None}

    def _prepare(self, value: Tensor) -> Tensor:
        return value.detach().clone().requires_grad_(value.is_floating_point())

    def _read(self, name: str, value: Tensor) -> Tensor:
        return value

    def _write(self, name: str, value: Tensor) -> Tensor:
        value.retain_grad()
        return value


Piece = Callable[[Tape], None]
"""A part of a forward pass: a function that plays its lines on a tape."""


@dataclass(frozen=True)
class Step:
    """One line of the forward pass, cut out: ``output`` depends on ``reads`` and on nothing else."""

    name: str
    output: Tensor
    reads: Mapping[str, Tensor]


class CutTape(Tape):
    """Play a forward pass whose steps share no graph: each step reads fresh, detached leaves."""

    _steps: list[Step]
    _leaves: dict[str, Tensor]

    def __init__(self, given: Mapping[str, Tensor]) -> None:
        object.__setattr__(self, "_steps", [])
        object.__setattr__(self, "_leaves", {})
        super().__init__(given)

    @property
    def steps(self) -> tuple[Step, ...]:
        """The steps in the order of the forward pass."""
        return tuple(self._steps)

    def _prepare(self, value: Tensor) -> Tensor:
        return value.detach()

    def _read(self, name: str, value: Tensor) -> Tensor:
        if not value.is_floating_point():
            return value
        return self._leaves.setdefault(name, value.detach().requires_grad_())

    def _write(self, name: str, value: Tensor) -> Tensor:
        # This step read everything that was read since the last one.
        self._steps.append(Step(name, value, dict(self._leaves)))
        self._leaves.clear()
        return value.detach()


def is_constant(tensor: Tensor) -> bool:
    """Return whether a tensor of a forward state is a constant of the lecture, such as ``n``.

    A constant is a zero-dimensional int64 tensor, and code gets it as a Python int. The sandbox and the client have
    this rule once more, because neither may import this module; ``tests/exercises/test_constants.py`` compares them.
    """
    return tensor.dim() == 0 and tensor.dtype == torch.int64


def constants(tensors: Mapping[str, Tensor]) -> dict[str, int]:
    """Return name → number for the constants among the tensors."""
    return {name: int(tensor) for name, tensor in tensors.items() if is_constant(tensor)}


def variables(tensors: Mapping[str, Tensor]) -> dict[str, Any]:
    """Return the tensors as code gets them: an int for each constant, the tensor itself otherwise."""
    return {name: int(tensor) if is_constant(tensor) else tensor for name, tensor in tensors.items()}
