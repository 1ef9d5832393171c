"""Own or inherited: the backward pass played on from a student's own gradients.

``cmp`` says that a gradient is wrong, not where it went wrong. Here the cut tape goes back step by step, and at
each step takes up the gradient that the student handed in for it. What then comes out for a name is right *given
the student's own upstream*: a wrong answer that agrees with it inherits a mistake from above, and one that does
not holds a mistake of its own.

What stands in for a gradient that cannot be used:

* A step that is no checkpoint, or whose gradient is missing: what the gradients above it give, so the play goes
  through it.
* A gradient of another shape: what it broadcasts or reduces to. Students' lines broadcast too, so a wrong answer
  is also compared with what the line gives when it is applied to the odd shape element by element.
* A wrong gradient that is zero everywhere or not finite proves nothing: whatever is multiplied with it agrees
  with everything. What the gradients above it give stands in. An answer below it that is itself zero everywhere
  or not finite is then neither own nor inherited; its row says which gradient to mend first.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import product

import torch
from torch import Tensor

from exercises.tape import Step
from grader.compare import LARGEST_BROADCAST, Comparison, Origin
from grader.likeness import Sought, align, close, fit, proves_nothing, sum_of, together
from grader.reference import Reference, back, back_all

# Another spelling of the same sum, whose terms cancel, is allowed this share of the largest term.
CANCELLING_NOISE = 2e-6
MOST_READINGS = 64  # of the gradients above a step, all taken together
ROUNDING = (
    "this is right but for rounding: cmp wants it a little closer; another order of the same operations may give it"
)


@dataclass(frozen=True)
class Flow:
    """One step of the backward pass. ``upstream`` is the gradient that came in, shaped like the step's output;
    ``terms`` maps each tensor that the step reads to what the step adds to its gradient.
    """

    step: Step
    upstream: Tensor
    terms: Mapping[str, Tensor]

    @cached_property
    def size(self) -> float:
        """The largest number that came in."""
        return float(self.upstream.abs().max())


@dataclass(frozen=True)
class Judgement:
    """Where a wrong answer went wrong; ``origin`` is None where that cannot be told."""

    origin: Origin | None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Carried:
    """A backward pass from a student's gradients.

    ``given`` are the student's tensors, float32, in whatever shape; ``wrong`` the names of the wrong ones.
    ``flows`` maps the name of each step to its part, the last step first; ``gradients`` maps each name to the
    gradient that is right given what is above it. ``tainted`` are the names with a wrong gradient above them,
    ``degenerate`` the steps whose gradient proved nothing, ``misfits`` those whose gradient had another shape,
    and ``absent`` the checkpoints with none.
    """

    known: Reference
    given: Mapping[str, Tensor]
    wrong: frozenset[str]
    flows: Mapping[str, Flow]
    gradients: Mapping[str, Tensor]
    tainted: frozenset[str]
    degenerate: frozenset[str]
    misfits: frozenset[str]
    absent: frozenset[str]
    _mended_terms: dict[str, dict[str, Tensor]] = field(default_factory=dict)
    _looked_for: dict[str, tuple[Sought, float]] = field(default_factory=dict)

    def consumers(self, name: str) -> list[Flow]:
        """The steps that read a tensor, the last one first."""
        return self._consumers.get(name, [])

    @cached_property
    def _consumers(self) -> dict[str, list[Flow]]:
        found: dict[str, list[Flow]] = {}
        for flow in self.flows.values():
            for read in flow.terms:
                found.setdefault(read, []).append(flow)
        return found

    @cached_property
    def judgements(self) -> Mapping[str, Judgement]:
        """For each wrong answer that is a tensor, in the order of the backward pass: own or inherited."""
        found: dict[str, Judgement] = {}
        for name in sorted(self.wrong, key=self._depth):
            found[name] = self._judge(name, found)
        return found

    def _depth(self, name: str) -> int:
        order = list(self.flows)
        return order.index(name) if name in self.flows else len(order)

    def mended(self, step: Step) -> dict[str, Tensor]:
        """What a step gives with the gradient that the ones above it give, in place of the student's."""
        if step.name not in self._mended_terms:
            # The first asked for is seldom the last: all wrong steps at once cost a few times one.
            steps = [flow.step for flow in self.flows.values() if flow.step.name in self.wrong]
            self._mended_terms.update(back_all(steps, self.gradients))
        return self._mended_terms[step.name]

    def _judge(self, name: str, above: Mapping[str, Judgement]) -> Judgement:
        if name in self.tainted:
            steps = [flow.step.name for flow in self.consumers(name)]
            if proves_nothing(self.given[name]) and any(step in self.degenerate for step in steps):
                first = next(step for step in self.flows if step in self.degenerate)
                return Judgement(None, (_mend_first(first),))
            if self._inherits(name, above):
                absent = [step for step in steps if step in self.absent]
                return Judgement(Origin.INHERITED, tuple(_carried_through(step) for step in absent))
        if self._rounding_apart(name, self.known.gradients[name]):
            return Judgement(None, (ROUNDING,))
        return Judgement(Origin.OWN)

    def _inherits(self, name: str, above: Mapping[str, Judgement]) -> bool:
        if self._rounding_apart(name, self.gradients[name]):
            return True
        readings = [self._readings(flow, name, above) for flow in self.consumers(name)]
        if math.prod(map(len, readings)) > MOST_READINGS:
            return False
        sought, _ = self._sought(name)
        choices = product(*readings)
        next(choices)  # each gradient as it was handed in: tried already
        return any(sought.may_be_sum(terms) and close(sought.tensor, sum_of(terms)) for terms in choices)

    def _readings(self, flow: Flow, name: str, above: Mapping[str, Judgement]) -> list[Tensor]:
        """What a step may have added to the student's gradient, by what they may have taken for its upstream."""
        step = flow.step.name
        term = flow.terms[name]
        found = [term]
        if step in self.degenerate:
            found.append(torch.zeros_like(term))
        if step in self.misfits:
            odd = _odd_shaped(flow.step, name, self.given[step])
            found += [each for each in odd if together(each.shape, term.shape) is not None]
        # A variable may have been spoiled after it was used, or a step left out and its mistake with it.
        if step in above and above[step].origin is Origin.OWN:
            found.append(self.mended(flow.step)[name])
        return found

    def _rounding_apart(self, name: str, right: Tensor) -> bool:
        """Whether an answer is this gradient, computed in another order."""
        if torch.equal(self.given[name], right):
            return True
        sought, noise = self._sought(name)
        if right.shape == sought.tensor.shape and not sought.may_be(sought.look(right), noise):
            return False
        return close(sought.tensor, right, noise)

    def _sought(self, name: str) -> tuple[Sought, float]:
        """An answer, and how far another order of the sums that make a gradient may take it, where they cancel."""
        if name not in self._looked_for:
            answer = self.given[name]
            aligned = align(answer, self.gradients[name].shape)
            sums = [flow.size * self.known.reach[flow.step.name, name] for flow in self.consumers(name)]
            sought = Sought(answer if aligned is None else aligned)
            self._looked_for[name] = sought, CANCELLING_NOISE * max(sums)
        return self._looked_for[name]


def carry(known: Reference, given: Mapping[str, Tensor], rows: Sequence[Comparison]) -> Carried:
    """Play the backward pass on from the student's gradients; ``rows`` say which of them are right."""
    asked = {row.name for row in rows}
    wrong = {row.name for row in rows if not row.passed and row.name in given}
    steps = known.cut.steps
    degenerate = {step.name for step in steps if step.name in wrong and proves_nothing(given[step.name])}
    misfits = {
        step.name
        for step in steps
        if step.name in given and step.name not in degenerate and given[step.name].shape != step.output.shape
    }
    fitted = {
        step.name: fit(given[step.name], step.output.shape)
        for step in steps
        if step.name in given and step.name not in degenerate
    }
    handed_in = {name: gradient for name, gradient in fitted.items() if gradient is not None}
    played = back_all([step for step in steps if step.name in handed_in], handed_in)
    flows: dict[str, Flow] = {}
    gradients: dict[str, Tensor] = {}
    tainted: set[str] = set()
    for step in reversed(steps):
        name = step.name
        upstream = handed_in.get(name, gradients.get(name))
        if upstream is None:  # the loss, or a step that leads nowhere
            upstream = torch.ones_like(step.output) if name == "loss" else torch.zeros_like(step.output)
        if name in wrong or (name not in given and name in tainted):
            tainted.update(step.reads)
        terms = played[name] if name in played else back(step, upstream)
        for read, term in terms.items():
            gradients[read] = gradients[read] + term if read in gradients else term
        flows[name] = Flow(step, upstream, terms)
    absent = asked - given.keys()
    return Carried(
        known,
        given,
        frozenset(wrong),
        flows,
        gradients,
        frozenset(tainted),
        frozenset(degenerate),
        frozenset(misfits),
        frozenset(absent),
    )


def back_by_element(step: Step, read: str, upstream: Tensor) -> Tensor | None:
    """What a student's line gives when the gradient that goes into it is too large in one dimension.

    ``counts_sum`` is [32, 1]; a student who forgot to sum has [32, 27], and multiplies on, element by element.
    Each slice of it would be a proper upstream gradient, so the step is gone back through once a slice, and of
    each slice's result the elements are kept that such a multiplication would give. None where that makes no
    sense.
    """
    proper, odd = step.output.shape, upstream.shape
    both = together(odd, proper)
    if both is None or len(both) != len(proper):
        return None
    larger = [axis for axis, length in enumerate(both) if length != proper[axis]]
    if len(larger) != 1:
        return None
    axis = larger[0]
    slices = upstream.expand(both).movedim(axis, 0).unsqueeze(axis + 1)
    target = step.reads[read]
    if slices.shape[0] * max(target.numel(), step.output.numel()) > LARGEST_BROADCAST:
        return None
    (found,) = torch.autograd.grad(
        step.output, target, slices, retain_graph=True, is_grads_batched=True, materialize_grads=True
    )
    if target.dim() != len(both):
        return None
    if target.shape[axis] == found.shape[0]:
        return found.diagonal(dim1=0, dim2=axis + 1).movedim(-1, axis)
    return found.movedim(0, axis).squeeze(axis + 1) if target.shape[axis] == 1 else None


def _odd_shaped(step: Step, read: str, upstream: Tensor) -> list[Tensor]:
    """What a student's line may give with an upstream gradient of another shape."""
    shape = step.output.shape
    fits = [upstream.reshape(shape)] if upstream.numel() == shape.numel() else []
    if upstream.dim() > 1 and upstream.mT.shape == shape:
        fits.append(upstream.mT)
    by_element = back_by_element(step, read, upstream)
    return [back(step, each)[read] for each in fits] + ([] if by_element is None else [by_element])


def _mend_first(step: str) -> str:
    return f"nothing can be told about this step while d{step} is zero everywhere or not finite; mend that first"


def _carried_through(step: str) -> str:
    return f"d{step} is missing; what the gradients above it give was used in its place"
