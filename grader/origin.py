"""Own or inherited: replay the backward pass with the student's own gradients.

``cmp`` says that a gradient is wrong, not where it went wrong. The replay goes back through the cut tape step by step
and feeds in, at each step, the gradient that the student handed in for it. The result for a name is the gradient that
is right *given the student's own upstream*. A wrong answer that agrees with it inherits a mistake from above; one that
does not has a mistake of its own.

Some gradients cannot be fed in. The replay uses instead:

1. Where a step is not a checkpoint, or its gradient is missing: the gradient that the replay itself gives there.
2. Where a gradient has another shape: what it broadcasts or reduces to. Students' lines broadcast too, so a wrong
   answer is also compared with the result of the line applied to the odd shape element by element.
3. Where a wrong gradient is *degenerate* (zero everywhere, or not finite): the gradient that the replay gives. A
   degenerate gradient proves nothing, since everything multiplied with it agrees with everything. A degenerate answer
   below it is neither own nor inherited; its row says which gradient to mend first.
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
from grader.compare import BROADCAST_ELEMENTS_MAX, Comparison, Origin
from grader.reference import Reference, back, back_all
from grader.rounding import Target, align, broadcast_shape, close, fit, is_degenerate, sum_of

# How far another order of the same sum may come out where its terms cancel, as a share of the largest term.
CANCELLING_NOISE = 2e-6
READINGS_MAX = 64  # combinations of the gradients above one step
ROUNDING = (
    "this is right but for rounding: cmp wants it a little closer; another order of the same operations may give it"
)
MEND_FIRST = "nothing can be told about this step while d{} is zero everywhere or not finite; mend that first"
CARRIED_THROUGH = "d{} is missing; what the gradients above it give was used in its place"


@dataclass(frozen=True)
class Flow:
    """One step of the backward pass.

    ``upstream`` is the gradient that goes into the step, of the shape of its output. ``terms`` maps each tensor that
    the step reads to what the step adds to its gradient.
    """

    step: Step
    upstream: Tensor
    terms: Mapping[str, Tensor]

    @cached_property
    def size(self) -> float:
        """The largest absolute value of the upstream gradient."""
        return float(self.upstream.abs().max())


@dataclass(frozen=True)
class Judgement:
    """The origin of a wrong answer; None where it cannot be told."""

    origin: Origin | None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class BackwardReplay:
    """The backward pass replayed with a student's gradients.

    ``handed_in`` maps checkpoints to the student's tensors, float32, of any shape; ``wrong`` are the names of the wrong
    ones. ``flows`` maps each step to its part of the pass, the last step first. ``gradients`` maps each name to the
    gradient that is right given what is above it. ``tainted`` are the names with a wrong gradient above them,
    ``degenerate`` the steps with a degenerate gradient, ``odd_shapes`` the steps whose gradient has another shape, and
    ``absent`` the checkpoints without a tensor.
    """

    reference: Reference
    handed_in: Mapping[str, Tensor]
    wrong: frozenset[str]
    flows: Mapping[str, Flow]
    gradients: Mapping[str, Tensor]
    tainted: frozenset[str]
    degenerate: frozenset[str]
    odd_shapes: frozenset[str]
    absent: frozenset[str]
    _repaired_terms: dict[str, dict[str, Tensor]] = field(default_factory=dict)
    _targets: dict[str, tuple[Target, float]] = field(default_factory=dict)

    def consumers(self, name: str) -> list[Flow]:
        """Return the steps that read a tensor, the last one first."""
        return self._consumers.get(name, [])

    @cached_property
    def _consumers(self) -> dict[str, list[Flow]]:
        consumers: dict[str, list[Flow]] = {}
        for flow in self.flows.values():
            for read in flow.terms:
                consumers.setdefault(read, []).append(flow)
        return consumers

    @cached_property
    def judgements(self) -> Mapping[str, Judgement]:
        """The judgement of each wrong answer that is a tensor, in the order of the backward pass."""
        judgements: dict[str, Judgement] = {}
        for name in sorted(self.wrong, key=self._depth):
            judgements[name] = self._judge(name, judgements)
        return judgements

    def _depth(self, name: str) -> int:
        order = list(self.flows)
        return order.index(name) if name in self.flows else len(order)

    def repaired_terms(self, step: Step) -> dict[str, Tensor]:
        """Return the terms of a step with the right gradient, given those above it, in place of the student's."""
        if step.name not in self._repaired_terms:
            # The first step asked for is seldom the last, and all wrong steps at once cost a few times one.
            steps = [flow.step for flow in self.flows.values() if flow.step.name in self.wrong]
            self._repaired_terms.update(back_all(steps, self.gradients))
        return self._repaired_terms[step.name]

    def _judge(self, name: str, above: Mapping[str, Judgement]) -> Judgement:
        if name in self.tainted:
            steps = [flow.step.name for flow in self.consumers(name)]
            if is_degenerate(self.handed_in[name]) and any(step in self.degenerate for step in steps):
                first = next(step for step in self.flows if step in self.degenerate)
                return Judgement(None, (MEND_FIRST.format(first),))
            if self._inherits(name, above):
                absent = [step for step in steps if step in self.absent]
                return Judgement(Origin.INHERITED, tuple(CARRIED_THROUGH.format(step) for step in absent))
        if self._differs_by_rounding(name, self.reference.gradients[name]):
            return Judgement(None, (ROUNDING,))
        return Judgement(Origin.OWN)

    def _inherits(self, name: str, above: Mapping[str, Judgement]) -> bool:
        if self._differs_by_rounding(name, self.gradients[name]):
            return True
        readings = [self._readings(flow, name, above) for flow in self.consumers(name)]
        if math.prod(map(len, readings)) > READINGS_MAX:
            return False
        target, _ = self._target(name)
        choices = product(*readings)
        next(choices)  # each gradient as it was handed in: compared above
        return any(target.may_equal_sum(terms) and close(target.tensor, sum_of(terms)) for terms in choices)

    def _readings(self, flow: Flow, name: str, above: Mapping[str, Judgement]) -> list[Tensor]:
        """Return the terms that a step may have added, one for each upstream the student may have used."""
        step = flow.step.name
        term = flow.terms[name]
        readings = [term]
        if step in self.degenerate:
            readings.append(torch.zeros_like(term))
        if step in self.odd_shapes:
            odd = _terms_of_odd_shape(flow.step, name, self.handed_in[step])
            readings += [reading for reading in odd if broadcast_shape(reading.shape, term.shape) is not None]
        # The student may have changed the variable after using it, or may have left out the step and its mistake.
        if step in above and above[step].origin is Origin.OWN:
            readings.append(self.repaired_terms(flow.step)[name])
        return readings

    def _differs_by_rounding(self, name: str, right: Tensor) -> bool:
        """Whether an answer is this gradient, computed in another order."""
        if torch.equal(self.handed_in[name], right):
            return True
        target, noise = self._target(name)
        if right.shape == target.tensor.shape and not target.may_equal(target.sample(right), noise):
            return False
        return close(target.tensor, right, noise)

    def _target(self, name: str) -> tuple[Target, float]:
        """Return an answer, and the error that another order of its sums may give where they cancel."""
        if name not in self._targets:
            answer = self.handed_in[name]
            aligned = align(answer, self.gradients[name].shape)
            sums = [flow.size * self.reference.reach[flow.step.name, name] for flow in self.consumers(name)]
            target = Target(answer if aligned is None else aligned)
            self._targets[name] = target, CANCELLING_NOISE * max(sums)
        return self._targets[name]


def replay_backward(
    reference: Reference, handed_in: Mapping[str, Tensor], rows: Sequence[Comparison]
) -> BackwardReplay:
    """Replay the backward pass with the student's gradients. ``rows`` say which of them are right."""
    wrong = {row.name for row in rows if not row.passed and row.name in handed_in}
    steps = reference.cut.steps
    degenerate = {step.name for step in steps if step.name in wrong and is_degenerate(handed_in[step.name])}
    given = {step.name: step for step in steps if step.name in handed_in and step.name not in degenerate}
    fitted = {name: fit(handed_in[name], step.output.shape) for name, step in given.items()}
    fed_in = {name: gradient for name, gradient in fitted.items() if gradient is not None}
    terms_of = back_all([given[name] for name in fed_in], fed_in)
    flows: dict[str, Flow] = {}
    gradients: dict[str, Tensor] = {}
    tainted: set[str] = set()
    for step in reversed(steps):
        name = step.name
        upstream = fed_in.get(name, gradients.get(name))
        if upstream is None:  # the loss, or a step whose output nothing reads
            upstream = torch.ones_like(step.output) if name == "loss" else torch.zeros_like(step.output)
        if name in wrong or (name not in handed_in and name in tainted):
            tainted.update(step.reads)
        terms = terms_of[name] if name in terms_of else back(step, upstream)
        for read, term in terms.items():
            gradients[read] = gradients[read] + term if read in gradients else term
        flows[name] = Flow(step, upstream, terms)
    return BackwardReplay(
        reference,
        handed_in,
        frozenset(wrong),
        flows,
        gradients,
        frozenset(tainted),
        frozenset(degenerate),
        frozenset(name for name, step in given.items() if handed_in[name].shape != step.output.shape),
        frozenset({row.name for row in rows} - handed_in.keys()),
    )


def back_by_element(step: Step, read: str, upstream: Tensor) -> Tensor | None:
    """Return the result of a student's line for an upstream gradient that is too large along one axis.

    ``counts_sum`` is [32, 1]; a student who forgot the sum has [32, 27], and multiplies on, element by element. Each
    slice of it is a proper upstream gradient. So this goes back through the step once for each slice, and keeps of each
    result the elements that the multiplication would give.

    None unless exactly one axis is larger, or if the slices are too many.
    """
    proper, odd = step.output.shape, upstream.shape
    common = broadcast_shape(odd, proper)
    if common is None or len(common) != len(proper):
        return None
    larger = [axis for axis, length in enumerate(common) if length != proper[axis]]
    if len(larger) != 1:
        return None
    axis = larger[0]
    slices = upstream.expand(common).movedim(axis, 0).unsqueeze(axis + 1)
    target = step.reads[read]
    if slices.shape[0] * max(target.numel(), step.output.numel()) > BROADCAST_ELEMENTS_MAX:
        return None
    (terms,) = torch.autograd.grad(
        step.output, target, slices, retain_graph=True, is_grads_batched=True, materialize_grads=True
    )
    if target.dim() != len(common):
        return None
    if target.shape[axis] == terms.shape[0]:
        return terms.diagonal(dim1=0, dim2=axis + 1).movedim(-1, axis)
    return terms.movedim(0, axis).squeeze(axis + 1) if target.shape[axis] == 1 else None


def _terms_of_odd_shape(step: Step, read: str, upstream: Tensor) -> list[Tensor]:
    """Return the terms that a student's line may give for an upstream gradient of another shape."""
    shape = step.output.shape
    reshaped = [back(step, upstream.reshape(shape))[read]] if upstream.numel() == shape.numel() else []
    by_element = back_by_element(step, read, upstream)
    return reshaped if by_element is None else [*reshaped, by_element]
