"""The parts of a closed expression: one left out, turned around, off by a factor, or slipped.

Where an exercise asks for one expression, its author names the summands of it (``exercises.formula``). Each may be
right, missing, negative, or one of the slips that students write in its place. All choices are compared at a few
elements first, and the best one with every element. A factor of the whole is fitted with it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from exercises.formula import Part, Slip, SlipKind, evaluated
from exercises.instance import Instance
from grader.diagnosis.case import NEAR, Case
from grader.diagnosis.codes import Beside, Code, Finding
from grader.diagnosis.factors import described, named, signed
from grader.diagnosis.repair import replaced
from grader.reference.dissection import kept_with_dissection
from grader.rounding.closeness import sum_of

_Numbers = npt.NDArray[np.float64]
_Positions = npt.NDArray[np.int64]

SAMPLED = 16  # elements at which all choices are compared
CHOICES_MAX = 8  # that are compared with every element
UNIT = 1e-4  # how far from 1 a fitted number may be and still count as 1
RIGHT, MISSING, TURNED = "right", "missing", "turned"
SLIPPED = {
    SlipKind.UNSUMMED: (Code.NOT_REDUCED, "part"),
    SlipKind.AXIS: (Code.WRONG_AXIS, "slip"),
    SlipKind.INCOMPLETE: (Code.MISSING_TERM, "slip"),
    SlipKind.OTHER: (Code.MISSING_LOCAL, "slip"),
}


@dataclass(frozen=True)
class _Choice:
    """What may stand for a part. ``what`` is one of the three words above, the slip, or a factor of the part."""

    part: Part
    what: str | Slip | float
    value: Tensor

    @cached_property
    def flat(self) -> _Numbers:
        """The value as one row of float64."""
        return self.value.reshape(-1).double().numpy()


@dataclass(frozen=True)
class _Change:
    """What is wrong with some parts: a finding of each of ``codes``, or what is said beside another finding."""

    codes: tuple[Code, ...]
    form: str
    beside_form: str
    values: dict[str, Any]

    @property
    def beside(self) -> Beside:
        """What is said of it beside another finding."""
        return self.beside_form, self.values


class _Formula:
    """The choices for each part of the formula of one checkpoint on one instance."""

    def __init__(self, instance: Instance, name: str, state: dict[str, Tensor]) -> None:
        shape = state[name].shape
        self.parts = instance.exercise.parts[name]
        self.choices = [self._choices(part, state, shape) for part in self.parts]

    def _choices(self, part: Part, state: dict[str, Tensor], shape: torch.Size) -> list[_Choice]:
        value = evaluated(part.code, state, shape)
        slips = [_Choice(part, slip, evaluated(slip.code, state, shape)) for slip in part.slips]
        return [
            _Choice(part, RIGHT, value),
            _Choice(part, MISSING, torch.zeros_like(value)),
            _Choice(part, TURNED, -value),
            *slips,
        ]

    @cached_property
    def all(self) -> list[tuple[_Choice, ...]]:
        """Every choice of something for each part. The first one is the right answer."""
        return list(product(*self.choices))

    @cached_property
    def changes(self) -> list[int]:
        """How many parts are not right, for each choice of ``all``."""
        return [sum(each.what != RIGHT for each in choice) for choice in self.all]

    def sampled(self, positions: _Positions) -> _Numbers:
        """Return the sums of the choices of ``all`` at some elements, shape (choices, positions)."""
        sums: _Numbers = np.zeros((1, len(positions)))
        for choices in self.choices:
            values = np.stack([choice.flat[positions] for choice in choices])
            sums = (sums[:, None] + values).reshape(-1, len(positions))
        return sums


def parts(case: Case) -> Iterator[Finding]:
    """Find parts of the formula that are missing, negative, slipped, or off by a factor."""
    if case.name not in case.instance.exercise.parts or not case.same_shape or not case.matters(case.answer):
        return
    formula = _formula(case.instance, case.name)
    chosen = _chosen(case, formula) or _scaled(case, formula)
    if chosen is None:
        return
    choices, factor = chosen
    stands = sum_of([choice.value for choice in choices]) * factor
    belongs = sum_of([each[0].value for each in formula.choices])
    repair = replaced(case, stands, belongs)
    changes = _changes(case, choices, factor)
    for number, change in enumerate(changes):
        besides = [other.beside for other in changes[:number] + changes[number + 1 :]]
        for code in change.codes:
            yield Finding(code, change.form, (), repair, besides, **change.values)


def _chosen(case: Case, formula: _Formula) -> tuple[tuple[_Choice, ...], float] | None:
    """Return the choices that give the answer, with a factor of the whole that has a name; None if none does."""
    positions = _sampled(case)
    sampled, want = formula.sampled(positions), case.answer.reshape(-1).double().numpy()[positions]
    square = (sampled * sampled).sum(1)
    weights = sampled @ want / np.where(square == 0, 1.0, square)
    residual = ((sampled * weights[:, None] - want) ** 2).sum(1)
    near = np.flatnonzero((residual <= NEAR**2 * (want * want).sum()) & (square > 0)).tolist()
    near.sort(key=lambda index: (abs(weights[index] - 1) > NEAR, formula.changes[index]))
    for index in near[:CHOICES_MAX]:
        choices = formula.all[index]
        if index == 0:  # every part is right, but for a factor of the whole
            continue
        if all(isinstance(each.what, Slip) for each in choices) and _is_off_along_an_axis(case):
            return None  # a factor that is left out of each part is one of the whole
        weight = case.weight(case.answer, sum_of([choice.value for choice in choices]))
        if weight is not None and named(weight, case, case.edges) is not None:
            return choices, weight
    return None


def _is_off_along_an_axis(case: Case) -> bool:
    """Whether the answer is the right gradient times a factor for each row, or for each column."""
    answer, right = case.answer, case.right
    for axis in range(right.dim()):
        square = (right * right).sum(axis, keepdim=True)
        weights = (answer * right).sum(axis, keepdim=True) / torch.where(square == 0, 1.0, square)
        if case.same(answer, weights * right):
            return True
    return False


def _sampled(case: Case) -> _Positions:
    """Return the positions of large elements of the answer and of the right gradient, and some others."""
    half = SAMPLED // 4
    size = case.right.numel()
    largest = [tensor.reshape(-1).abs().topk(min(half, size)).indices.numpy() for tensor in (case.answer, case.right)]
    return np.unique(np.concatenate([*largest, np.linspace(0, size - 1, SAMPLED - 2 * half).astype(np.int64)]))


def _scaled(case: Case, formula: _Formula) -> tuple[tuple[_Choice, ...], float] | None:
    """Return one part times a number that has a name, and all others right; None if that does not give the answer."""
    for number, choices in enumerate(formula.choices):
        right = choices[0]
        weight = case.weight(case.answer - (case.right - right.value), right.value)
        if weight is not None and named(weight, case, case.edges) is not None:
            scaled = _Choice(right.part, weight, right.value * weight)
            return tuple(scaled if other == number else each[0] for other, each in enumerate(formula.choices)), 1.0
    return None


def _changes(case: Case, choices: Sequence[_Choice], factor: float) -> list[_Change]:
    """Return what is wrong with a formula, one change for each kind."""
    left = [choice for choice in choices if choice.what != MISSING]
    if len(left) == 1 and left[0].what == RIGHT and abs(factor - 1) > UNIT:
        values = _values(left) | {"factor": signed(factor, case, case.edges)}
        return [_Change((Code.MISSING_TERM,), "all_but_one_part", "part_missing", values)]
    changes: list[_Change] = []
    if factor < 0 and any(choice.what == TURNED for choice in choices):  # twice turned is right
        other = {RIGHT: TURNED, TURNED: RIGHT}
        slipped = [choice for choice in choices if isinstance(choice.what, Slip)]
        if slipped:
            changes.append(_Change((Code.TERM_SIGN,), "scaled_part", "part_turned", _values(slipped)))
        choices = [
            replace(choice, what=other.get(choice.what, choice.what)) if isinstance(choice.what, str) else choice
            for choice in choices
        ]
        factor = -factor
    for what, code in ((MISSING, Code.MISSING_TERM), (TURNED, Code.TERM_SIGN)):
        changed = [choice for choice in choices if choice.what == what]
        if changed:
            changes.append(_Change((code,), "part", f"part_{what}", _values(changed)))
    for choice in choices:
        if isinstance(choice.what, float):
            values = _values([choice]) | {"factor": described(choice.what, case, case.edges)}
            twice = (Code.DOUBLE_COUNTED,) if abs(choice.what - 2) < UNIT else ()
            changes.append(_Change((*twice, Code.TERM_SCALE), "part", "part_factor", values))
            if choice.what < 0:
                changes.append(_Change((Code.TERM_SIGN,), "scaled_part", "part_turned", _values([choice])))
    for kind, (code, form) in SLIPPED.items():
        slipped = [choice for choice in choices if isinstance(choice.what, Slip) and choice.what.kind is kind]
        if slipped:
            form = "diagonal" if kind is SlipKind.UNSUMMED and len(slipped) > 1 else form
            changes.append(_Change((code,), form, "part_slip", _values(slipped)))
    if abs(abs(factor) - 1) > UNIT:
        values = {"factor": described(factor, case, case.edges)}
        changes.append(_Change((Code.SCALE,), "common", "factor", values))
    if factor < 0:
        changes.append(_Change((Code.SIGN,), "formula", "sign", {}))
    return changes


def _values(choices: Sequence[_Choice]) -> dict[str, Any]:
    parts = [choice.part for choice in choices]
    return {
        "parts": [part.name for part in parts],
        "about": [part.about for part in parts],
        "turned": [part.turned for part in parts],
        "says": [choice.what.says for choice in choices if isinstance(choice.what, Slip)],
    }


@kept_with_dissection
def _formula(instance: Instance, name: str) -> _Formula:
    return _Formula(instance, name, dict(instance.tensors()))
