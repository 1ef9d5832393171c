"""Own, inherited or unknown: replay the backward pass with the student's own gradients.

``cmp`` says that a gradient is wrong, not where it went wrong. The replay goes back through the cut tape step by step
and feeds in, at each step, the gradient that the student handed in for it. The result for a name is the gradient that
is right *given the student's own upstream*. A wrong answer that agrees with it inherits a mistake from above; one that
does not has a mistake of its own.

Some gradients cannot be fed in. The replay uses instead:

1. Where a step is not a checkpoint: the gradient that the replay itself gives there.
2. Where the gradient of a checkpoint was not handed in: the one recovered from what the student made of it
   (``grader.origin.recovery``) if their answers agree on it, else the one that the replay gives. An answer that agrees
   with it inherits. One that does not is *unknown*: the mistake is here, or in what was not handed in.
3. Where a gradient has another shape: what it broadcasts or reduces to. Students' lines broadcast too, so a wrong
   answer is also compared with the result of the line applied to the odd shape element by element.
4. Where a wrong gradient is *degenerate* (zero everywhere, or not finite): the gradient that the replay gives. A
   degenerate gradient proves nothing, since everything multiplied with it agrees with everything. A degenerate answer
   below it is unknown, too; its row says which gradient to mend first.

A wrong gradient with the same number everywhere, such as all ones, is a *constant*. Lines that only hand a gradient on
agree with it without any work. So a step inherits no credit where a gradient directly above it is a constant, or where
everything above it follows from one. It is none if the right gradient has the same number everywhere, too.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from functools import cached_property
from itertools import product

import torch
from torch import Tensor

from exercises.tape import Step
from grader.compare import Comparison, Origin, Verdict
from grader.origin.odd_shapes import terms_of_odd_shape
from grader.origin.recovery import recover_upstream
from grader.reference.backward import back, back_all
from grader.reference.gradients import Reference, right_terms
from grader.rounding.closeness import (
    Target,
    align,
    broadcast_shape,
    close,
    fit,
    is_degenerate,
    is_nearly_uniform,
    sum_of,
)
from grader.rounding.error_bounds import MAY_BE_ROUNDING, BoundedBackward, Unbounded, frozen_steps

READINGS_MAX = 64  # combinations of the gradients above one step
AGREEING_MIN = 2  # wrong answers that must agree on a gradient that was not handed in
MEND_FIRST = "nothing can be told about this step while d{} is zero everywhere or not finite; mend that first"
CARRIED_THROUGH = "d{} is missing; what the gradients above it give was used in its place"
NOT_HANDED_IN = "the mistake is here, in {0}, which you did not hand in, or above; hand {1} in as well"
ODD_SHAPE = "nothing can be told about this step while d{} has another shape; mend that first"
CONSTANT_ABOVE = "d{} is the same number everywhere: no credit is inherited from it; mend that first"
AGREED = "right, given the d{0} that {1} agree on; look at d{0}, which you did not hand in"


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
    """The origin of a wrong answer.

    ``blames`` are the checkpoints above it that were not handed in and may hold the mistake. ``constant`` is the
    constant that it inherits from, None if there is none; ``is_hollow`` says that everything above follows from one.
    """

    origin: Origin
    notes: tuple[str, ...] = ()
    blames: tuple[str, ...] = ()
    constant: str | None = None
    is_hollow: bool = False


@dataclass(frozen=True)
class BackwardReplay:
    """The backward pass replayed with a student's gradients.

    ``handed_in`` maps checkpoints to the student's tensors, float32, of any shape; ``wrong`` are the names of the wrong
    ones. ``flows`` maps each step to its part of the pass, the last step first. ``gradients`` maps each name to the
    gradient that is right given what is above it. ``tainted`` are the names with a wrong gradient above them,
    ``degenerate`` the steps with a degenerate gradient, ``odd_shapes`` the steps whose gradient has another shape,
    ``misshapen`` those of them with which nothing can go on, and ``absent`` the checkpoints without a tensor.
    ``recovered`` maps each checkpoint whose gradient was recovered to the answers that agree on it. ``fed_in`` maps
    steps to the gradients that went in, of the shapes of their outputs.
    """

    reference: Reference
    handed_in: Mapping[str, Tensor]
    wrong: frozenset[str]
    flows: Mapping[str, Flow]
    gradients: Mapping[str, Tensor]
    tainted: frozenset[str]
    degenerate: frozenset[str]
    odd_shapes: frozenset[str]
    misshapen: frozenset[str]
    absent: frozenset[str]
    recovered: Mapping[str, Sequence[str]]
    fed_in: Mapping[str, Tensor]
    _repaired_terms: dict[str, dict[str, Tensor]] = field(default_factory=dict)
    _targets: dict[str, Target] = field(default_factory=dict)

    def consumers(self, name: str) -> list[Flow]:
        """Return the steps that read a tensor, the last one first."""
        return self._consumers.get(name, [])

    def above(self, name: str) -> set[str]:
        """Return every step that the gradient of a tensor comes through."""
        steps: set[str] = set()
        reached = [name]
        while reached:
            new = {flow.step.name for flow in self.consumers(reached.pop())} - steps
            steps |= new
            reached += new
        return steps

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
        depth = {name: number for number, name in enumerate(self.flows)}
        for name in sorted(self.wrong, key=lambda name: depth.get(name, len(depth))):
            judgements[name] = self._judge(name, judgements)
        return judgements

    def repaired_terms(self, step: Step) -> dict[str, Tensor]:
        """Return the terms of a step with the right gradient, given those above it, in place of the student's."""
        if step.name not in self._repaired_terms:
            # The first step asked for is seldom the last, and all wrong steps at once cost a few times one.
            steps = [flow.step for flow in self.flows.values() if flow.step.name in self.wrong]
            self._repaired_terms.update(back_all(steps, self.gradients))
        return self._repaired_terms[step.name]

    def _judge(self, name: str, above: Mapping[str, Judgement]) -> Judgement:
        steps = [flow.step.name for flow in self.consumers(name)]
        if name in self.tainted:
            if any(step in self.degenerate for step in steps) and is_degenerate(self.handed_in[name]):
                first = next(step for step in self.flows if step in self.degenerate)
                return Judgement(Origin.UNKNOWN, (MEND_FIRST.format(first),))
            if self._inherits(name, above):
                return self._inherited(name, above)
        absent = self._absent_above(name)
        if absent:
            variables = ["d" + each for each in absent]
            note = NOT_HANDED_IN.format(" or ".join(variables), "it" if len(absent) == 1 else "them")
            return Judgement(Origin.UNKNOWN, (note,), absent)
        misshapen = next((step for step in steps if step in self.misshapen), None)
        if misshapen is None and self._is_enlarged(name):  # what a student's line makes of it nobody can tell
            misshapen = next((step for step in steps if self._is_enlarged(step)), None)
        if misshapen is not None:
            return Judgement(Origin.UNKNOWN, (ODD_SHAPE.format(misshapen),))
        return Judgement(Origin.OWN)

    def _is_enlarged(self, name: str) -> bool:
        """Whether an answer has so odd a shape that, with a tensor of the right shape, it makes one with more axes.

        Such is ``[12, 1]`` for ``[12]``: a product with it is ``[12, 12]``.
        """
        if name not in self.handed_in:
            return False
        shape = self.reference.state[name].shape
        common = broadcast_shape(self.handed_in[name].shape, shape)
        return common is not None and common.numel() > shape.numel() and len(common) > len(shape)

    def _inherited(self, name: str, above: Mapping[str, Judgement]) -> Judgement:
        steps = [flow.step.name for flow in self.consumers(name)]
        absent = [step for step in steps if step in self.absent]
        notes = [CARRIED_THROUGH.format(step) for step in absent]
        blames = [step for step in steps if step in self.recovered and above[step].origin is not Origin.INHERITED]
        notes += [AGREED.format(step, _listed(self.recovered[step])) for step in blames]
        nearest = self._handed_in_above(name)
        constants = [step for step in nearest if step in above and self._is_constant(step, above[step])]
        is_hollow = all(step in constants or (step in above and above[step].is_hollow) for step in nearest)
        constant = next(iter(constants), None)
        if constant is None and is_hollow:
            constant = next((above[step].constant for step in nearest), None)
        if constant is not None:
            notes.append(CONSTANT_ABOVE.format(constant))
        return Judgement(Origin.INHERITED, tuple(notes), tuple(blames), constant, is_hollow)

    def _handed_in_above(self, name: str) -> list[str]:
        """Return the nearest steps above a tensor that were handed in, or have nothing above them; at least one."""
        nearest: dict[str, None] = {}
        for flow in self.consumers(name):
            step = flow.step.name
            between = [] if step in self.handed_in else self._handed_in_above(step)
            nearest |= dict.fromkeys(between or [step])
        return list(nearest)

    def _is_constant(self, step: str, judgement: Judgement) -> bool:
        """Whether the mistake of a step is that its gradient is the same number everywhere."""
        handed_in, right = self.handed_in[step], self.reference.gradients[step]
        if judgement.origin is Origin.INHERITED:  # its line gave this number
            return False
        if not handed_in.any():
            return True
        return right.numel() > 1 and is_nearly_uniform(handed_in) and not is_nearly_uniform(right)

    def _absent_above(self, name: str) -> tuple[str, ...]:
        """Return the nearest checkpoints above a tensor that were not handed in, the last step first."""
        absent: dict[str, None] = {}
        for flow in self.consumers(name):
            step = flow.step.name
            if step in self.absent:
                absent[step] = None
            elif step not in self.handed_in:
                absent |= dict.fromkeys(self._absent_above(step))
        return tuple(absent)

    def _inherits(self, name: str, above: Mapping[str, Judgement]) -> bool:
        if self._differs_by_rounding(name, self.gradients[name]):
            return True
        readings = [self._readings(flow, name, above) for flow in self.consumers(name)]
        if math.prod(map(len, readings)) > READINGS_MAX:
            return False
        target = self._target(name)
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
            odd = terms_of_odd_shape(flow.step, name, self.handed_in[step])
            readings += [reading for reading in odd if broadcast_shape(reading.shape, term.shape) is not None]
        # The student may have changed the variable after using it, or may have left out the step and its mistake.
        if step in above and above[step].origin is Origin.OWN:
            readings.append(self.repaired_terms(flow.step)[name])
        return readings

    def _differs_by_rounding(self, name: str, right: Tensor) -> bool:
        """Whether an answer is the gradient that is right given what is above it, computed in another order."""
        if torch.equal(self.handed_in[name], right):
            return True
        target = self._target(name)
        if right.shape != target.tensor.shape:
            return False
        sample = target.sample(right)
        if target.may_equal(sample) and close(target.tensor, right):
            return True
        largest_term = max(flow.size * self.reference.reach(flow.step.name, name) for flow in self.consumers(name))
        sampled = max(abs(have - want) for have, want in zip(target.values, sample, strict=True))
        # A few elements rule out most answers; their difference is rounded otherwise here.
        if sampled > 2 * MAY_BE_ROUNDING * largest_term:
            return False
        if not float((target.tensor - right).abs().max()) <= MAY_BE_ROUNDING * largest_term:
            return False
        try:
            return self._bounds.gradient(name).covers(target.tensor)
        except Unbounded:
            return False

    @cached_property
    def _bounds(self) -> BoundedBackward:
        return BoundedBackward(frozen_steps(self.reference.instance), self.fed_in)

    def _target(self, name: str) -> Target:
        if name not in self._targets:
            answer = self.handed_in[name]
            aligned = align(answer, self.gradients[name].shape)
            self._targets[name] = Target(answer if aligned is None else aligned)
        return self._targets[name]


def replay_backward(
    reference: Reference,
    handed_in: Mapping[str, Tensor],
    rows: Sequence[Comparison],
    inherited: Set[str] = frozenset(),
) -> BackwardReplay:
    """Replay the backward pass with the student's gradients. ``rows`` say which of them are right.

    ``inherited`` are wrong ones that are known to inherit, though all directly above passed. If the answers agree on
    a gradient that was not handed in, it is played as if it had been.
    """
    wrong = frozenset(row.name for row in rows if not row.passed and row.name in handed_in)
    absent = frozenset(row.name for row in rows) - handed_in.keys()
    misshapen = frozenset(row.name for row in rows if row.verdict is Verdict.SHAPE and row.name in handed_in)
    student = _Student(handed_in, wrong, absent, misshapen, inherited)
    replay = _replay(reference, student)
    recovered = {step: each for step in replay.flows if step in absent and (each := _recover(replay, step)) is not None}
    if not recovered:
        return replay
    return _replay(
        reference,
        _Student(
            {**handed_in, **{step: each.upstream for step, each in recovered.items()}},
            wrong | recovered.keys(),
            absent - recovered.keys(),
            misshapen,
            inherited,
            {step: each.agreeing for step, each in recovered.items()},
        ),
    )


@dataclass(frozen=True)
class _Student:
    """What a student has of the backward pass; see ``BackwardReplay``."""

    handed_in: Mapping[str, Tensor]
    wrong: frozenset[str]
    absent: frozenset[str]
    misshapen: frozenset[str]
    inherited: Set[str]
    recovered: Mapping[str, Sequence[str]] = field(default_factory=dict)


def _replay(reference: Reference, student: _Student) -> BackwardReplay:
    handed_in, wrong = student.handed_in, student.wrong
    steps = reference.cut.steps
    degenerate = {step.name for step in steps if step.name in wrong and is_degenerate(handed_in[step.name])}
    given = {step.name: step for step in steps if step.name in handed_in and step.name not in degenerate}
    fitted = {name: fit(handed_in[name], step.output.shape) for name, step in given.items()}
    fed_in = {name: gradient for name, gradient in fitted.items() if gradient is not None}
    terms_of = _terms_of_all(reference, [given[name] for name in fed_in], fed_in)
    flows: dict[str, Flow] = {}
    gradients: dict[str, Tensor] = {}
    tainted: set[str] = set(student.inherited)
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
    odd_shapes = frozenset(name for name, step in given.items() if handed_in[name].shape != step.output.shape)
    return BackwardReplay(
        reference,
        handed_in,
        wrong,
        flows,
        gradients,
        frozenset(tainted),
        frozenset(degenerate),
        odd_shapes,
        student.misshapen,
        student.absent,
        student.recovered,
        fed_in,
    )


def _terms_of_all(
    reference: Reference, steps: Sequence[Step], fed_in: Mapping[str, Tensor]
) -> Mapping[str, Mapping[str, Tensor]]:
    """Return step → its terms for the gradient fed in. Those of right gradients are the same for every answer."""
    right = [step for step in steps if torch.equal(fed_in[step.name], reference.gradients[step.name])]
    names = {step.name for step in right}
    wrong = back_all([step for step in steps if step.name not in names], fed_in)
    terms = right_terms(reference.instance).of(right)
    return {**{name: terms[name] for name in names}, **wrong}


@dataclass(frozen=True)
class _Recovered:
    """A gradient that was not handed in, and the answers that agree on it."""

    upstream: Tensor
    agreeing: Sequence[str]


def _recover(replay: BackwardReplay, name: str) -> _Recovered | None:
    """Return the gradient of a step that the wrong answers below it agree on; None if they do not, or are too few.

    What else is in the sum of an answer is what the replay gives. No answer that passed may contradict.
    """
    flow = replay.flows[name]
    answers: dict[str, Tensor] = {}
    for read in flow.terms:
        if read in replay.handed_in:
            answer = align(replay.handed_in[read], flow.terms[read].shape)
            if answer is not None and not is_degenerate(answer):
                answers[read] = answer
    rest = {read: replay.gradients[read] - flow.terms[read] for read in answers}
    wrong = {read for read in answers if read in replay.wrong and not close(answers[read], replay.gradients[read])}
    if len(wrong) < AGREEING_MIN:
        return None
    step = frozen_steps(replay.reference.instance).named(name)
    for read in sorted(wrong):
        upstream = recover_upstream(step, read, answers[read] - rest[read])
        if upstream is None:
            continue
        terms = back(flow.step, upstream.float())
        agreeing = {each for each in answers if close(answers[each], rest[each] + terms[each])}
        if agreeing >= answers.keys() - wrong and len(agreeing & wrong) >= AGREEING_MIN:
            return _Recovered(upstream.float(), [each for each in answers if each in agreeing & wrong])
    return None


def _listed(names: Sequence[str]) -> str:
    variables = ["d" + name for name in names]
    return ", ".join(variables[:-1]) + " and " + variables[-1]
