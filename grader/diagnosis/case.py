"""A case: one answer with a mistake of its own, and what the recorded graph knows about it.

The gradient of a tensor is the sum of what its uses contribute. A use is an *edge*: a step that reads it. Where
the steps between an answer and the student's next gradient are no checkpoints (an exercise that asks for one
closed expression), the edges in between belong to the case as well: what they contribute is carried on down to
the answer. So a hypothesis about an edge ("its sign is wrong") reads the same in every exercise.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import torch
from torch import Tensor

from exercises.instance import Instance
from exercises.tape import Step, is_constant
from grader.carried import NOISE, RELATIVE, Carried, Flow, back, back_by_element
from grader.diagnosis.replay import Replays, replays
from grader.reference import Reference, reference

# A quick look at one element spares most candidates the comparison of all.
QUICK = 1e-3


@dataclass(frozen=True)
class Edge:
    """``step`` reads ``read``. ``term`` is what that adds to the gradient of ``read``; ``share`` is what of it
    arrives at the answer, and ``found`` what the student has in its place: the answer less all other shares.
    """

    step: Step
    read: str
    upstream: Tensor
    term: Tensor
    share: Tensor
    found: Tensor


@dataclass(frozen=True)
class Bundle:
    """Edges along one path, through which the same share of the gradient goes."""

    edges: tuple[Edge, ...]

    @property
    def share(self) -> Tensor:
        return self.edges[0].share

    @property
    def found(self) -> Tensor:
        return self.edges[0].found


@dataclass(frozen=True, eq=False)
class Case:
    """A wrong answer. ``answer`` has the shape of ``right``, the gradient that is right given the student's own
    upstream, wherever it broadcasts to it. ``changed`` says that the student's variable changed after ``cmp``.
    """

    instance: Instance
    name: str
    answer: Tensor
    carried: Carried
    changed: bool = False
    passed: frozenset[str] = field(default_factory=frozenset)

    @property
    def right(self) -> Tensor:
        return self.carried.gradients[self.name]

    @cached_property
    def known(self) -> Reference:
        return reference(self.instance)

    @cached_property
    def replays(self) -> Replays:
        return replays(self.instance)

    @property
    def values(self) -> Mapping[str, Tensor]:
        """Every named tensor of the forward pass."""
        return self.known.state

    @cached_property
    def size(self) -> float:
        """The largest number around: rounding noise goes with it."""
        finite = torch.nan_to_num(self.answer, nan=0.0, posinf=0.0, neginf=0.0)
        return max(float(finite.abs().max()), float(self.right.abs().max()))

    @cached_property
    def same_shape(self) -> bool:
        return self.answer.shape == self.right.shape

    @cached_property
    def edges(self) -> tuple[Edge, ...]:
        """The uses between the answer and the student's next gradients, the nearest first."""
        found = []
        for flow, read in self._uses():
            term = flow.terms[read]
            share = term if read == self.name else self.carry_down(read, term)
            if share is not None:
                found.append(Edge(flow.step, read, flow.upstream, term, share, self._in_place_of(share)))
        return tuple(found)

    @cached_property
    def bundles(self) -> tuple[Bundle, ...]:
        """The edges, those with the same share together, and none that contribute mere rounding."""
        found: list[list[Edge]] = []
        for edge in self.edges:
            if edge.share.shape != self.right.shape or not self.matters(edge.share):
                continue
            known = next((each for each in found if self.same(edge.share, each[0].share)), None)
            if known is None:
                found.append([edge])
            else:
                known.append(edge)
        return tuple(Bundle(tuple(edges)) for edges in found)

    def matters(self, share: Tensor) -> bool:
        """Whether a share is more than rounding."""
        return bool(share.abs().max() > 1e-5 * self.size)

    @cached_property
    def direct(self) -> tuple[Edge, ...]:
        """The uses of the tensor itself."""
        return tuple(edge for edge in self.edges if edge.read == self.name)

    def _in_place_of(self, share: Tensor) -> Tensor:
        if share is self.right:
            return self.answer
        try:
            return self.answer - (self.right - share)
        except RuntimeError:  # an answer of another shape altogether
            return self.answer

    def uses(self, read: str) -> list[str]:
        """The names of the steps that read a tensor, in the order of the forward pass."""
        return [step.name for step in self.known.cut.steps if read in step.reads]

    def line(self, step: str) -> str:
        """A step's line of the forward pass."""
        return self.instance.exercise.lines.get(step, step)

    def arrives(self, edge: Edge, term: Tensor) -> Tensor | None:
        """What would arrive at the answer if the edge added ``term``; None where shapes forbid it."""
        if edge.read == self.name:
            return term
        return self.carry_down(edge.read, term)

    def same(self, found: Tensor, candidate: Tensor | None) -> bool:
        """Whether two tensors are of one shape and the same but for rounding."""
        if candidate is None or found.shape != candidate.shape or not found.numel():
            return False
        noise = NOISE * self.size
        probe = int(found.abs().argmax())
        have, want = found.reshape(-1)[probe].item(), candidate.reshape(-1)[probe].item()
        if not abs(have - want) <= QUICK * abs(have) + noise:
            return False
        return bool(((found - candidate).abs() <= RELATIVE * candidate.abs() + noise).all())

    def weight(self, found: Tensor, direction: Tensor | None) -> float | None:
        """The number w with ``found = w * direction``; None where there is none."""
        if direction is None or found.shape != direction.shape:
            return None
        one, other = found.reshape(-1), direction.reshape(-1)
        square = float(torch.dot(other, other))
        if square == 0.0:
            return None
        w = float(torch.dot(one, other)) / square
        if float(torch.dot(one, one)) - w * w * square > 1e-4 * float(torch.dot(one, one)):
            return None
        return w if self.same(found, w * direction) else None

    def carry_down(self, name: str, gradient: Tensor) -> Tensor | None:
        """What a gradient at a name in between contributes to the answer; None where shapes forbid it."""
        pending: dict[str, Tensor] = {name: gradient}
        for step in reversed(self.known.cut.steps):
            upstream = pending.pop(step.name, None)
            if upstream is None:
                continue
            # What has no gradient altogether (logit_maxes) has none that a derivation on paper would follow.
            reads = [
                read
                for read in step.reads
                if read == self.name or (read in self._between and read not in self.known.vanishing)
            ]
            for read in reads:
                if upstream.shape == step.output.shape:
                    term: Tensor | None = back(step, upstream)[read]
                else:
                    term = back_by_element(step, read, upstream)
                if term is None:
                    return None
                pending[read] = pending[read] + term if read in pending else term
        return pending.get(self.name)

    @cached_property
    def constants(self) -> dict[str, int]:
        """Name → number, the constants of the forward pass."""
        return {name: int(value) for name, value in sorted(self.values.items()) if is_constant(value)}

    @cached_property
    def _between(self) -> frozenset[str]:
        """Names whose gradient the student did not give, between the answer and the ones that they gave."""
        names, frontier = set(), [self.name]
        while frontier:
            for flow in self.carried.consumers(frontier.pop()):
                step = flow.step.name
                taken_up = step in self.carried.given and step not in self.carried.degenerate
                if step != "loss" and not taken_up and step not in names:
                    names.add(step)
                    frontier.append(step)
        return frozenset(names)

    def _uses(self) -> Iterator[tuple[Flow, str]]:
        between = [step.name for step in self.known.cut.steps if step.name in self._between]
        for name in (self.name, *between):
            for flow in self.carried.consumers(name):
                yield flow, name
