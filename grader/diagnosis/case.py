"""A case: one answer with a mistake of its own, and what the recorded graph knows about it.

The gradient of a tensor is the sum of what its uses contribute. A use is an *edge*: a step that reads it. Where
the steps between an answer and the student's next gradient are no checkpoints (an exercise that asks for one
closed expression), the edges in between belong to the case as well: what they contribute is carried on down to
the answer. So a hypothesis about an edge ("its sign is wrong") reads the same in every exercise.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import torch
from torch import Tensor

from exercises.instance import Instance
from exercises.tape import Step, is_constant
from grader.carried import NOISE, RELATIVE, Carried, back_by_element
from grader.diagnosis.replay import Replays, replays
from grader.reference import Reference, back, reference

# A quick look at one element spares most candidates the comparison of all.
QUICK = 1e-3
MOST_ROUTES = 24


class OddShape(ValueError):
    """A gradient that a line cannot be gone back through with."""


@dataclass(frozen=True, eq=False)
class Use:
    """A step that reads ``read``, and the gradient that comes into it."""

    step: Step
    read: str
    upstream: Tensor
    terms: Mapping[str, Tensor]


@dataclass(frozen=True)
class Edge:
    """``step`` reads ``read``. ``term`` is what that adds to the gradient of ``read``; ``share`` is what of it
    arrives at the answer, and ``found`` what the student has in its place: the answer less all other shares.
    ``tails`` are the paths from ``read`` down to the answer.
    """

    step: Step
    read: str
    upstream: Tensor
    term: Tensor
    share: Tensor
    found: Tensor
    tails: tuple[tuple[Use, ...], ...]


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
        routes = self._routes
        uses = {(use.step.name, use.read): use for route in routes for use in route}
        found = []
        for (_, read), use in uses.items():
            through = [route for route in routes if use in route]
            heads = {route[: route.index(use)]: None for route in through}
            tails = {route[route.index(use) + 1 :]: None for route in through}
            if heads == {(): None}:
                upstream, term = use.upstream, use.terms[read]
            else:
                upstream = _sum([_along(head, head[0].upstream) for head in heads])
                term = back(use.step, upstream)[read]
            share = term if read == self.name else _sum([_along(tail, term) for tail in tails])
            found.append(Edge(use.step, read, upstream, term, share, self._in_place_of(share), tuple(tails)))
        return tuple(sorted(found, key=lambda edge: max(map(len, edge.tails))))

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

    @cached_property
    def below(self) -> frozenset[str]:
        """The names that the answer's own gradient flows on to."""
        names = {self.name}
        for step in reversed(self.known.cut.steps):
            if step.name in names:
                names.update(step.reads)
        return frozenset(names - {self.name})

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
        try:
            return _sum([_along(tail, term) for tail in edge.tails])
        except (OddShape, RuntimeError):
            return None

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

    @cached_property
    def constants(self) -> dict[str, int]:
        """Name → number, the constants of the forward pass."""
        return {name: int(value) for name, value in sorted(self.values.items()) if is_constant(value)}

    @cached_property
    def _routes(self) -> list[tuple[Use, ...]]:
        """The paths by which the gradient comes down to the answer, each from the top, but those by which
        nothing comes.

        On paper nobody follows a path that contributes nothing: the one through the maximum of a softmax, or
        the one from a variance through the mean. A student's mistake does not go down there either.
        """
        found = self._up(self.name, ())
        if len(found) > MOST_ROUTES:
            found = [(use,) for use in self._uses.get(self.name, [])]
        if len(found) == 1:
            return found
        return [route for route in found if len(route) == 1 or self.matters(_along(route, route[0].upstream))]

    def _up(self, name: str, below: tuple[Use, ...]) -> list[tuple[Use, ...]]:
        found = []
        for use in self._uses.get(name, []):
            step = use.step.name
            route = (use, *below)
            if step == "loss" or (step in self.carried.given and step not in self.carried.degenerate):
                found.append(route)
            elif step not in self.known.vanishing and len(found) <= MOST_ROUTES:
                found += self._up(step, route)
        return found

    @cached_property
    def _uses(self) -> dict[str, list[Use]]:
        """Name → its uses, the last one first."""
        found: dict[str, list[Use]] = {}
        for flow in self.carried.flows.values():
            for read in flow.terms:
                found.setdefault(read, []).append(Use(flow.step, read, flow.upstream, flow.terms))
        return found


def _along(route: tuple[Use, ...], gradient: Tensor) -> Tensor:
    """A gradient carried down a path; where it has an odd shape, as a student's line would carry it."""
    for use in route:
        if gradient.shape == use.step.output.shape:
            gradient = back(use.step, gradient)[use.read]
        else:
            odd = back_by_element(use.step, use.read, gradient)
            if odd is None:
                raise OddShape(use.step.name)
            gradient = odd
    return gradient


def _sum(tensors: Sequence[Tensor]) -> Tensor:
    return sum(tensors[1:], tensors[0])
