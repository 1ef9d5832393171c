"""Rounding is right, and a real mistake is not rounding: what ``cmp`` alone cannot tell.

``cmp`` compares with one tolerance, whatever the step. A sum that cancels may miss it in a right derivation. A factor
that is off by 3e-6 may pass it. The error bound of float32 arithmetic, given the student's own upstream gradients,
tells the two apart:

1. A row that ``cmp`` fails, within the bound, gets the verdict ``rounding``, and passes.
2. A row that ``cmp`` passes, beyond the bound, still passes. A note says what is wrong if that is verified: a *slip*
   such as a lost term must explain the answer within the same bound. Without a slip the note is given only if no chain
   of right steps from the loss could round so far.
3. What comes below a row that is off by more than rounding, and is right given its numbers, says so. If ``cmp`` fails
   it, it inherits; unless all that is lost above is noise, zero in mathematics: then it is rounding.

Where the true gradient is zero, only noise is compared, and every answer is within the bound. There a slip must give
the answer's very bits.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import torch
from torch import Tensor

from exercises.instance import Instance
from exercises.tape import Step
from grader.compare import ATOL, RTOL, Comparison, Verdict
from grader.reference.backward import back, back_all
from grader.reference.dissection import kept_with_dissection
from grader.reference.gradients import Reference, reference
from grader.rounding.closeness import align, fit, sum_of
from grader.rounding.error_bounds import (
    MAY_BE_ROUNDING,
    Bounded,
    BoundedBackward,
    Unbounded,
    frozen_steps,
    step_without_constant,
)

ROUNDING = "it passes: cmp wants it closer, but another order of the same operations may round like this"
BEYOND = "within tolerance, but more than rounding explains"
SIGN = BEYOND + ": the sign is turned around"
LEFT_OUT = BEYOND + ": the path through {} is missing"
TWICE = BEYOND + ": the path through {} is counted twice"
TERM_SIGN = BEYOND + ": the term that comes through {} has the wrong sign"
CONSTANT = BEYOND + ": the {1:g} in the line of {0} is missing"
MISPLACED = BEYOND + ": the term that comes through {} stands at other elements"
IS_ZERO = "; its true gradient is zero, so it adds rounding noise only"
OVERDETERMINED = 3  # elements that must agree before a term is said to be misplaced
FROM_ABOVE = "right, given your d{}; what is more than rounding comes from there"


@kept_with_dissection
def bounds_of_each_step(instance: Instance) -> BoundedBackward:
    """Return the bounds of each step, given the right gradients above it."""
    right = reference(instance)
    asked = {each.name for each in instance.exercise.checkpoints}
    return BoundedBackward(
        frozen_steps(instance), {name: each for name, each in right.gradients.items() if name in asked}
    )


@kept_with_dissection
def bounds_from_the_loss(instance: Instance) -> BoundedBackward:
    """Return the bounds of everything that was computed on the way from the loss."""
    return BoundedBackward(frozen_steps(instance), {})


@dataclass(frozen=True)
class Tolerated:
    """The rows with what rounding explains.

    ``inherited`` are the wrong ones that are right but for rounding, given a gradient above that is not. ``beyond`` are
    those that pass, and are off by more than rounding themselves.
    """

    rows: list[Comparison]
    inherited: frozenset[str] = frozenset()
    beyond: frozenset[str] = frozenset()


def judge_rounding(reference: Reference, handed_in: Mapping[str, Tensor], rows: Sequence[Comparison]) -> Tolerated:
    """Return the rows with the verdict ``rounding`` where it is due, and with what is beyond rounding noted.

    ``handed_in`` maps checkpoints to the student's tensors, float32, of any shape.
    """
    if all(row.verdict is Verdict.EXACT or row.name not in handed_in for row in rows):
        return Tolerated(list(rows))
    table = _Table(reference, handed_in, {row.name: row for row in rows})
    table.judge()
    return Tolerated([table.rows[row.name] for row in rows], frozenset(table.inherited), frozenset(table.beyond))


@dataclass(frozen=True)
class _Off:
    """How a gradient is off: ``answer`` says so, its own or the nearest above it.

    ``is_noise`` says that it is off only by what is zero in mathematics, such as the path through the maximum,
    ``is_large`` that it is off by much more than rounding. Then nothing below is worth the price of a bound.
    """

    answer: str
    is_noise: bool = False
    is_large: bool = False


@dataclass(frozen=True)
class _Slip:
    """What is wrong with an answer that ``cmp`` passes, and whether that is zero in mathematics."""

    note: str
    is_noise: bool


@dataclass
class _Table:
    """The rows of an answer while they are judged, from the loss down.

    ``off`` maps each name whose gradient is off by more than rounding to how it is. ``terms`` maps steps to what they
    add in float32.
    """

    reference: Reference
    handed_in: Mapping[str, Tensor]
    rows: dict[str, Comparison]
    off: dict[str, _Off] = field(default_factory=dict)
    inherited: set[str] = field(default_factory=set)
    beyond: set[str] = field(default_factory=set)
    terms: dict[str, Mapping[str, Tensor]] = field(default_factory=dict)

    def judge(self) -> None:
        """Judge every row, those above before those below."""
        for name in self.reference.backward_order:
            consumers = self.reference.consumers.get(name, ())
            off = [self.off[step.name] for step in consumers if step.name in self.off]
            above = min(off, key=lambda each: (not each.is_large, each.is_noise), default=None)
            if name not in self.handed_in:
                if above is not None:
                    self.off[name] = above
                    self.bounds.carry_through(name)
                continue
            with contextlib.suppress(Unbounded):
                self.rows[name] = self._judged(self.rows[name], above)
            if not self.rows[name].passed:
                self.off[name] = _Off(name, is_large=self._is_large(self.rows[name]))

    def _judged(self, row: Comparison, above: _Off | None) -> Comparison:
        answer = align(self.handed_in[row.name], self.reference.gradients[row.name].shape)
        if answer is None or row.verdict not in (Verdict.APPROXIMATE, Verdict.WRONG):
            return row
        is_below_large = above is not None and above.is_large
        if row.verdict is Verdict.APPROXIMATE:
            is_zero = row.name in self.reference.vanishing
            return row if is_below_large and is_zero else self._passed(row, answer, above)
        return row if is_below_large or self._is_large(row) else self._failed(row, answer, above)

    def _is_large(self, row: Comparison) -> bool:
        """Whether a row differs by much more than rounding."""
        return row.maxdiff is None or not row.maxdiff <= MAY_BE_ROUNDING * self._largest_terms[row.name]

    @cached_property
    def _largest_terms(self) -> Mapping[str, float]:
        """The measure of the largest term in the sum of each gradient that may be off by more than rounding."""
        return self.reference.largest_terms([row.name for row in self.rows.values() if not row.passed])

    def _failed(self, row: Comparison, answer: Tensor, above: _Off | None) -> Comparison:
        right, by_itself = self.bounds.gradient(row.name), self._by_itself(row.name)
        if not right.covers(answer) or self._slip(row.name, answer) is not None:
            return row
        # Would cmp fail it without any rounding of this step, for what comes from above alone?
        is_off = above is not None and not above.is_noise
        if is_off and not torch.allclose(right.value, by_itself.value, RTOL, ATOL):
            self.inherited.add(row.name)
            return row
        return replace(row, verdict=Verdict.ROUNDING, notes=(*row.notes, ROUNDING))

    def _passed(self, row: Comparison, answer: Tensor, above: _Off | None) -> Comparison:
        name = row.name
        if above is None and self._can_compute(name) and torch.equal(answer, self._computed(name)):
            return row  # no rounding of its own: no bound is needed, and the first one on an instance is dear
        if not self._is_flipped(name, answer) and self._by_itself(name).covers(answer):
            return row
        if above is None and self._is_as_computed(name, answer):
            return row
        slip, right = self._slip(name, answer), self.bounds.gradient(name)
        if slip is not None:
            note, is_noise = slip.note, slip.is_noise
        elif right.covers(answer):
            if above is None:
                return row
            note, is_noise = FROM_ABOVE.format(above.answer), above.is_noise
        elif bounds_from_the_loss(self.reference.instance).gradient(name).covers(answer):
            return row
        else:
            note, is_noise = BEYOND, False
        self.off[name] = _Off(name, is_noise)
        if note.startswith(BEYOND):
            self.beyond.add(name)
        return replace(row, notes=(*row.notes, note))

    def _by_itself(self, name: str) -> Bounded:
        """Return what rounding in its own step may make of a gradient, if all above is right."""
        return bounds_of_each_step(self.reference.instance).gradient(name)

    @cached_property
    def bounds(self) -> BoundedBackward:
        """The bounds of each step, given the student's gradients, or the right ones for those not handed in."""
        return BoundedBackward(frozen_steps(self.reference.instance), self.given)

    @cached_property
    def given(self) -> Mapping[str, Tensor]:
        """Step → the student's gradient of its output, or the right one if it was not handed in."""
        given = {}
        for step in self.reference.cut.steps:
            if step.name in self.rows:
                fitted = fit(self.handed_in[step.name], step.output.shape) if step.name in self.handed_in else None
                given[step.name] = self.reference.gradients[step.name] if fitted is None else fitted
        return given

    def _slip(self, name: str, answer: Tensor) -> _Slip | None:
        """Return what is wrong with an answer, verified on all its numbers; None if nothing is known to be."""
        right = self.bounds.gradient(name)
        if right.covers(answer):
            return _Slip(SIGN, is_noise=True) if self._is_flipped(name, answer) else None
        steps = self.bounds.consumers(name)
        terms = {step: self.bounds.terms(step)[name].value for step in steps}
        constant = self._lost_constant(name, answer, right)
        if constant is not None:
            return constant
        slips = (
            _Slip(note.format(step) + IS_ZERO, True)
            if step in self.reference.vanishing
            else _Slip(note.format(step), False)
            for step in (steps if len(steps) > 1 else ())
            for note, explains in SLIPS
            if explains(answer, right, terms[step])
        )
        return next(slips, None)

    def _is_flipped(self, name: str, answer: Tensor) -> bool:
        """Whether an answer where the true gradient is zero has the very bits of the noise, but for the sign."""
        return name in self.reference.vanishing and bool(answer.any()) and torch.equal(answer, -self._computed(name))

    def _lost_constant(self, name: str, answer: Tensor, right: Bounded) -> _Slip | None:
        """Return the slip of a small number that a line adds, such as 1e-5, and the student's does not."""
        for consumer in self.bounds.consumers(name):
            altered = step_without_constant(self.reference.instance, consumer)
            if altered is None:
                continue
            step, constant = altered
            change = back(step, self.bounds.upstream(consumer).value)[name] - self.bounds.terms(consumer)[name].value
            if Bounded(right.value + change, right.error).covers(answer):
                return _Slip(CONSTANT.format(consumer, constant), is_noise=False)
        return None

    def _is_as_computed(self, name: str, answer: Tensor) -> bool:
        """Whether an answer is what float32 gives, but for the rounding of its own step.

        For most right answers in another style this is enough, at a third of the price of a bound
        (``bench/diagnosis.py``).
        """
        return self._can_compute(name) and Bounded(self._computed(name).double(), self._by_itself(name).error).covers(
            answer
        )

    def _can_compute(self, name: str) -> bool:
        """Whether the gradients above are there, and this one is not zero in mathematics."""
        steps = self.reference.consumers[name]
        return name not in self.reference.vanishing and all(step.name in self.given for step in steps)

    def _computed(self, name: str) -> Tensor:
        """Return the gradient as float32 gives it, from the same upstream gradients."""
        return sum_of([self._terms_of(step)[name] for step in self.reference.consumers[name]])

    def _terms_of(self, step: Step) -> Mapping[str, Tensor]:
        if not self.terms:  # all at once cost a few times one
            rows = [row for row in self.rows.values() if row.verdict is Verdict.APPROXIMATE]
            asked = {each.name: each for row in rows for each in self.reference.consumers[row.name]}
            self.terms.update(back_all([each for each in asked.values() if each.name in self.given], self.given))
        if step.name not in self.terms:
            is_given = step.name in self.given
            upstream = self.given[step.name] if is_given else self.bounds.upstream(step.name).value.float()
            self.terms[step.name] = back(step, upstream)
        return self.terms[step.name]


def _is_times(weight: float) -> Callable[[Tensor, Bounded, Tensor], bool]:
    """Return a test whether an answer holds a term this often, in place of once."""
    return lambda answer, right, term: Bounded(right.value + (weight - 1) * term, right.error).covers(answer)


def _is_misplaced(answer: Tensor, right: Bounded, term: Tensor) -> bool:
    """Whether an answer has the right numbers of a term, at other elements."""
    there = answer.double() - (right.value - term)
    is_there = there.abs() > right.error
    values, errors, wanted = there[is_there], right.error[is_there], term[term != 0].sort().values
    if not OVERDETERMINED <= len(values) <= len(wanted):
        return False
    places = torch.searchsorted(wanted, values).clamp(1, len(wanted) - 1)
    distance = torch.minimum((values - wanted[places - 1]).abs(), (values - wanted[places]).abs())
    return bool((distance <= errors).all())


# What is said → the test for it, given the answer, the right gradient and one of its terms.
SLIPS: Sequence[tuple[str, Callable[[Tensor, Bounded, Tensor], bool]]] = (
    (LEFT_OUT, _is_times(0)),
    (TERM_SIGN, _is_times(-1)),
    (TWICE, _is_times(2)),
    (MISPLACED, _is_misplaced),
)
