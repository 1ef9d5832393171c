"""The tape: a forward pass written once, recorded step by step.

An author writes the lecture's lines with ``t.`` before every name::

    t.bnmeani = 1 / t.n * t.hprebn.sum(0, keepdim=True)
    t.bndiff = t.hprebn - t.bnmeani

A step is one such line. The same lines can be played in two ways. ``Tape`` plays them plainly: one
``t.loss.backward()`` leaves PyTorch's gradient in every named tensor, bit for bit the lecture's.
``CutTape`` cuts the graph between the steps, so that any gradients (a student's) can be fed in at every
step, and what comes out is right *given* those gradients.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor


class Tape:
    """Plays a forward pass plainly and keeps the gradient of every named tensor.

    ``given`` are the tensors that no step computes: parameters, the minibatch, constants. A constant (n) is a
    zero-dimensional int64 tensor and is read as a Python int, as the lecture has it.
    """

    _values: dict[str, Tensor]

    def __init__(self, given: Mapping[str, Tensor]) -> None:
        object.__setattr__(self, "_values", {name: self._prepare(value) for name, value in given.items()})

    def __getattr__(self, name: str) -> Any:
        # Only called for names that are not attributes of the class: the names of the forward pass. Any, not
        # Tensor | int: which of the two it is, no type checker can know, and the lines should read like the lecture's.
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
        """Every named tensor so far, detached, in the order in which the steps made them."""
        return {name: value.detach() for name, value in self._values.items()}

    def gradients(self) -> dict[str, Tensor]:
        """After ``t.loss.backward()``: name → gradient of the loss, shaped like the named tensor."""
        return {name: value.grad for name, value in self._values.items() if value.grad is not None}

    def _prepare(self, value: Tensor) -> Tensor:
        return value.detach().clone().requires_grad_(value.is_floating_point())

    def _read(self, name: str, value: Tensor) -> Tensor:
        return value

    def _write(self, name: str, value: Tensor) -> Tensor:
        value.retain_grad()
        return value


@dataclass(frozen=True)
class Step:
    """One line of the forward pass, cut out: ``output`` is computed from ``reads`` and from nothing else."""

    name: str
    output: Tensor
    reads: Mapping[str, Tensor]


class CutTape(Tape):
    """Plays a forward pass whose steps share no graph: each read is a fresh, detached leaf."""

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
        # What was read since the last step was read by this one.
        self._steps.append(Step(name, value, dict(self._leaves)))
        self._leaves.clear()
        return value.detach()


def is_constant(value: Tensor) -> bool:
    """Whether a tensor of the forward state stands for a number of the lecture (n, vocab_size)."""
    return value.dim() == 0 and value.dtype == torch.int64
