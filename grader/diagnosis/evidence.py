"""What shows a student that a gradient is wrong, without telling the right one.

A *counterexample*: one element is moved by a small amount, and the change of the loss, played in float64, stands beside
the change that the student's gradient predicts. It is true whatever is above the step. It is given only where all above
is right, so that it speaks of this step.

A broken *invariant*: where a number added to a whole row (or column) leaves the loss as it is, the gradient of each row
sums to 0. Both the invariance of the loss and the sum of the right gradient are verified on the instance.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from exercises.instance import Instance
from exercises.language.forward import Line
from exercises.tape import variables
from grader.diagnosis.case import Case
from grader.reference.dissection import kept_with_dissection
from grader.reference.gradients import reference

STEPS = (1e-3, 1e-5)  # by which an element is moved: the first for which the loss is nearly linear
LINEAR = 0.02  # relative difference of the loss's change and the right gradient's prediction
TELLING = 0.05  # relative difference of the two numbers that are shown, at least
NO_CHANGE = 1e-12  # of the loss, which is some 3; float64 keeps 16 digits
NEXT_TO_NOTHING = 1e-2  # of the right gradient's largest element; its sums may be rounding of what cancelled
FAR_OFF = 0.5  # of the largest difference
ZERO_SUM = 1e-5  # of a sum of absolute values: rounding in float32
BROKEN_SUM = 1e-3  # of the largest sum of absolute values: more than rounding
SHIFT = 0.5


@dataclass(frozen=True)
class Counterexample:
    """An element moved by ``step``, with the change of the loss and the change that the student's gradient predicts."""

    name: str
    index: tuple[int, ...]
    step: float
    change: float
    predicted: float


@dataclass(frozen=True)
class BrokenInvariant:
    """A slice of an answer that should sum to 0, and its sum. ``axis_from_end`` is the axis that is summed along."""

    name: str
    axis_from_end: int
    slice: int
    total: float


def counterexample(case: Case) -> Counterexample | None:
    """Return a counterexample at an element that is far off; None if it would not be about this step alone."""
    if case.name in case.replay.tainted or case.answer.shape != case.right.shape or not case.right.dim():
        return None
    off = (case.answer - case.right).abs()
    if not math.isfinite(float(off.max())):
        return None
    # Of the elements that are far off, the one whose two numbers differ most: 10 and 11 tell less than 0 and 1.
    telling = off / (case.answer.abs() + case.right.abs() + NO_CHANGE)
    flat = int(torch.where(off >= FAR_OFF * off.max(), telling, 0.0).argmax())
    index = tuple(map(int, np.unravel_index(flat, off.shape)))
    right, answer = float(case.right[index]), float(case.answer[index])
    for step in STEPS:
        change, predicted = _losses(case.instance).change(case.name, index, step), answer * step
        if abs(change) < NO_CHANGE:
            change = 0.0
        size = max(abs(change), abs(predicted))
        if abs(change - right * step) <= LINEAR * abs(change) + NO_CHANGE and abs(change - predicted) > TELLING * size:
            return Counterexample(case.name, index, step, change, predicted)
    return None


def broken_invariant(case: Case) -> BrokenInvariant | None:
    """Return an invariant of the loss that the answer breaks and the right gradient keeps; None if there is none."""
    if case.answer.shape != case.right.shape or not bool(case.answer.isfinite().all()):
        return None
    if float(case.answer.abs().max()) < NEXT_TO_NOTHING * float(case.right.abs().max()):
        return None
    for axis in _losses(case.instance).invariant_axes(case.name):
        if not _sums_to_zero(case.right, axis):
            continue  # given what the student has above, it need not
        totals = case.answer.sum(axis)
        # What cancelled on the way may have been as large as the largest slice: its rounding may be in each of them.
        largest = max(float(each.abs().sum(axis).max()) for each in (case.answer, case.right))
        if float(totals.abs().max()) > BROKEN_SUM * largest:
            worst = int(totals.abs().argmax())
            return BrokenInvariant(case.name, case.right.dim() - axis, worst, float(totals.reshape(-1)[worst]))
    return None


def _sums_to_zero(gradient: Tensor, axis: int) -> bool:
    return bool((gradient.sum(axis).abs() <= ZERO_SUM * gradient.abs().sum(axis)).all())


class _Losses:
    """The loss of an instance in float64, as a function of any of its tensors."""

    def __init__(self, instance: Instance) -> None:
        self._lines = instance.exercise.forward.lines
        self._reads = {step.name: frozenset(step.reads) for step in reference(instance).cut.steps}
        state = variables(instance.exercise.given(reference(instance).state))
        self._values: dict[str, Any] = {name: _in_float64(value) for name, value in state.items()}
        self._below: dict[str, list[Line]] = {}
        self._gradients = reference(instance).gradients
        self._vanishing = reference(instance).vanishing
        self._invariant_axes: dict[str, tuple[int, ...]] = {}
        self._values = self._played(self._values, self._lines)

    def change(self, name: str, index: tuple[int, ...], step: float) -> float:
        """Return how much the loss changes when one element of a tensor is moved."""
        moved = self._values[name].clone()
        moved[index] += step
        return self._loss_with(name, moved) - float(self._values["loss"])

    def invariant_axes(self, name: str) -> tuple[int, ...]:
        """Return the axes of a matrix along which a number may be added to a whole slice without changing the loss."""
        if name not in self._invariant_axes:
            self._invariant_axes[name] = tuple(axis for axis in (0, 1) if self._is_invariant(name, axis))
        return self._invariant_axes[name]

    def _is_invariant(self, name: str, axis: int) -> bool:
        gradient = self._gradients[name]
        if gradient.dim() != 2 or gradient.shape[axis] < 2 or name in self._vanishing:
            return False
        if not _sums_to_zero(gradient, axis):
            return False
        shift = torch.linspace(-SHIFT, SHIFT, gradient.shape[1 - axis], dtype=torch.float64).unsqueeze(axis)
        shifted = self._loss_with(name, self._values[name] + shift)
        return abs(shifted - float(self._values["loss"])) < 1e3 * NO_CHANGE

    def _loss_with(self, name: str, value: Tensor) -> float:
        return float(self._played({**self._values, name: value}, self._lines_below(name))["loss"])

    def _lines_below(self, name: str) -> list[Line]:
        """Return the lines whose result depends on a tensor. What is frozen counts as data."""
        if name not in self._below:
            affected, lines = {name}, []
            for line in self._lines:
                if not line.frozen and not self._reads[line.name].isdisjoint(affected):
                    affected.add(line.name)
                    lines.append(line)
            self._below[name] = lines
        return self._below[name]

    def _played(self, values: dict[str, Any], lines: Sequence[Line]) -> dict[str, Any]:
        """Play lines on values, which they change; return the values."""
        with torch.no_grad():
            for line in lines:
                # A line may make a tensor, such as torch.eye(3), which torch makes in float32.
                values[line.name] = _in_float64(line.compute(values.__getitem__))
        return values


def _in_float64(value: Any) -> Any:
    return value.double() if isinstance(value, Tensor) and value.is_floating_point() else value


@kept_with_dissection
def _losses(instance: Instance) -> _Losses:
    return _Losses(instance)
