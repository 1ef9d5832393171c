"""A case: one answer with a mistake of its own, and what the recorded graph knows about it.

The gradient of a tensor is the sum of what its uses contribute. A use is an *edge*: a step that reads it. Where
the steps between an answer and the student's next gradient are no checkpoints (an exercise that asks for one
closed expression), the edges in between belong to the case as well: what they contribute is carried on down to
the answer. So a hypothesis about an edge ("its sign is wrong") reads the same in every exercise.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import torch
from torch import Tensor

from exercises.instance import Instance
from exercises.tape import Step, constants
from grader.carried import Carried, back_by_element
from grader.diagnosis.replay import Replays, replays
from grader.likeness import NOISE, RELATIVE, Sought, sum_of
from grader.reference import Reference, back, reference

MATTERS = 1e-5  # of the largest number around; what is smaller may be rounding
NEAR = 1e-2  # how well two products have to agree for a closer look
MOST_ROUTES = 24
# Of all paths together; going along them is what a diagnosis costs. An exercise that asks for one closed expression has
# so many. Where checkpoints were left out there may be fewer: a step that is handed in alone has all the network above.
MOST_STEPS, MOST_STEPS_LEFT_OUT = 24, 12


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

    @cached_property
    def seen(self) -> Tensor | None:
        """What was found, seen from above: its product with any upstream gradient is the product of what was found
        with what that gradient gives. None where steps lie in between, or shapes differ.

        So one look at it tells most gradients that did not go in, for a small part of going back with each.
        """
        if self.share is not self.term or self.found.shape != self.term.shape:
            return None
        leaf, output = self.step.reads[self.read], self.step.output
        upstream = torch.zeros_like(output).requires_grad_()
        (term,) = torch.autograd.grad(output, leaf, upstream, create_graph=True, materialize_grads=True)
        return torch.autograd.grad(term, upstream, self.found, materialize_grads=True)[0]

    @cached_property
    def square(self) -> float:
        """The product of what was found with itself."""
        return float((self.found * self.found).sum())

    def may_come_from(self, upstream: Tensor, factors: tuple[float, ...] = (1.0,)) -> bool:
        """Whether what was found may be what an upstream gradient gives, times one of these factors."""
        if self.seen is None or upstream.shape != self.seen.shape:
            return True
        product = float((self.seen * upstream).sum())
        return any(abs(factor * product - self.square) <= NEAR * self.square for factor in factors)


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
                upstream = sum_of([_along(head, head[0].upstream) for head in heads])
                term = back(use.step, upstream)[read]
            share = term if read == self.name else sum_of([_along(tail, term) for tail in tails])
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
        return bool(share.abs().max() > MATTERS * self.size)

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
            return sum_of([_along(tail, term) for tail in edge.tails])
        except (OddShape, RuntimeError):
            return None

    def same(self, found: Tensor, candidate: Tensor | None) -> bool:
        """Whether two tensors are of one shape and the same but for rounding; what is mere rounding itself is
        like nothing.
        """
        if candidate is None or found.shape != candidate.shape or not found.numel():
            return False
        noise, sought = NOISE * self.size, self._sought(found)
        if sought.largest <= MATTERS * self.size or not sought.may_be(sought.look(candidate), noise):
            return False
        return bool(((found - candidate).abs() <= RELATIVE * candidate.abs() + noise).all())

    def same_among(self, found: Tensor, candidates: Tensor) -> int | None:
        """Which of many stacked candidates is the same as a tensor but for rounding."""
        sought = self._sought(found)
        looks = candidates.reshape(len(candidates), -1)[:, sought.places]
        nearest = int((looks - torch.tensor(sought.values)).abs().sum(1).argmin())
        return nearest if self.same(found, candidates[nearest]) else None

    def weight(self, found: Tensor, direction: Tensor | None) -> float | None:
        """The number w with ``found = w * direction``; None where there is none."""
        if direction is None or found.shape != direction.shape:
            return None
        sought = self._sought(found)
        if sought.largest <= MATTERS * self.size:
            return None
        look = sought.look(direction)
        have, want = max(zip(sought.values, look, strict=True), key=lambda pair: abs(pair[0]))
        if want == 0 or not sought.may_be([have / want * each for each in look], 4 * NOISE * self.size):
            return None
        one, other = found.reshape(-1), direction.reshape(-1)
        w = float(torch.dot(one, other)) / float(torch.dot(other, other))
        return w if self.same(found, w * direction) else None

    def _sought(self, found: Tensor) -> Sought:
        sought = self._looked_for.get(id(found))
        if sought is None or sought.tensor is not found:
            sought = self._looked_for[id(found)] = Sought(found)
        return sought

    @cached_property
    def _looked_for(self) -> dict[int, Sought]:
        """What was compared with candidates so far, by identity; it is kept, so that no other can have that."""
        return {}

    @cached_property
    def constants(self) -> dict[str, int]:
        """Name → number, the constants of the forward pass."""
        return constants(dict(sorted(self.values.items())))

    @cached_property
    def _routes(self) -> list[tuple[Use, ...]]:
        """The paths by which the gradient comes down to the answer, each from the top, but those by which
        nothing comes.

        On paper nobody follows a path that contributes nothing: the one through the maximum of a softmax, or
        the one from a variance through the mean. A student's mistake does not go down there either. Where there are too
        many, the last lines before the answer are looked at alone, with the gradients that are right there.
        """
        found = self._up(self.name, ())
        left_out = any(use.step.name in self.carried.absent for route in found for use in route)
        most = MOST_STEPS_LEFT_OUT if left_out else MOST_STEPS
        if len(found) > MOST_ROUTES or sum(map(len, found)) > most:
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
