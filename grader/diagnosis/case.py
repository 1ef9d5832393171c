"""A case: one answer with a mistake of its own, and the part of the recorded graph around it.

The gradient of a tensor is a sum with a term for each step that reads it. An *edge* is a step and a tensor that it
reads. In an exercise that asks for one closed expression, the steps between an answer and the student's next gradients
are no checkpoints. The edges in between belong to the case too, and their terms are carried on down to the answer. So a
hypothesis about an edge ("its sign is wrong") reads the same in every exercise.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from exercises import formula
from exercises.instance import Instance
from exercises.tape import Step
from grader.diagnosis.altered_steps import AlteredSteps, altered_steps
from grader.diagnosis.codes import NamedPart
from grader.origin.backward_replay import BackwardReplay
from grader.origin.odd_shapes import back_by_element
from grader.reference.backward import back, go_back
from grader.reference.dissection import kept_with_dissection
from grader.reference.gradients import Reference, reference
from grader.rounding.closeness import NOISE, RELATIVE, Target, broadcasts_to, close, sum_of

MATTERS = 1e-5  # of the largest element around; anything smaller may be rounding
NEAR = 1e-2  # relative difference of two products up to which the full comparison is worth its cost
OVERDETERMINED = 3  # elements needed for each number that is fitted
FITTED_ELEMENTS_MIN = 2  # nonzero elements that a factor is fitted to; one alone gives any factor
PATHS_MAX = 24
# Steps of all paths together: the cost of a diagnosis grows with them. The first is for an exercise that asks for one
# closed expression, the second for checkpoints that were left out: a step handed in alone has all the network above it.
PATH_STEPS_MAX, PATH_STEPS_MAX_LEFT_OUT = 24, 12


class OddShape(ValueError):
    """A gradient whose shape the backward pass of a line does not accept."""


@dataclass(frozen=True, eq=False)
class Use:
    """A step that reads ``read``, with the gradient ``upstream`` of its output and its ``terms``."""

    step: Step
    read: str
    upstream: Tensor
    terms: Mapping[str, Tensor]


@dataclass(frozen=True)
class Edge:
    """A step and a tensor that it reads, with the right numbers and the student's.

    ``term`` is what the step adds to the gradient of ``read``, of the shape of ``read``. ``share`` is the part of the
    right gradient that comes through this edge, of the shape of the answer. ``observed`` is what the student has in its
    place: the answer less all other shares. ``tails`` are the paths from ``read`` down to the answer. ``paths`` are the
    numbers of the paths of ``Case.routes`` that lead through this edge. ``graph`` gives, for step and read,
    an upstream gradient and its term with the graph between the two.
    """

    step: Step
    read: str
    upstream: Tensor
    term: Tensor
    share: Tensor
    observed: Tensor
    tails: tuple[tuple[Use, ...], ...]
    paths: frozenset[int]
    graph: Callable[[str, str], tuple[Tensor, Tensor]]

    @cached_property
    def adjoint(self) -> Tensor | None:
        """The adjoint J·observed, of the shape of the step's output.

        For any upstream u: ⟨J·observed, u⟩ = ⟨observed, Jᵀu⟩, so one dot product rules out most candidates for u, for a
        small part of the cost of going back with each. None if steps lie between the edge and the answer, or if the
        shapes differ.
        """
        if self.share is not self.term or self.observed.shape != self.term.shape:
            return None
        return self.adjoint_of(self.observed)

    def adjoint_of(self, term: Tensor) -> Tensor:
        """Return J·term, of the shape of the step's output, for a tensor of the shape of the edge's term."""
        upstream, any_term = self.graph(self.step.name, self.read)
        return go_back([any_term], [upstream], [term])[0]

    def _adjoint_for(self, shape: torch.Size) -> npt.NDArray[np.float32] | None:
        """Return the adjoint summed to a shape, as one row; None if there is none, or the shape does not stretch to it.

        ⟨a, stretched v⟩ = ⟨summed a, v⟩. A product of two rows of numpy costs half of what it costs in torch.
        """
        if shape not in self._adjoints:
            adjoint = self.adjoint
            fitted = adjoint.sum_to_size(shape) if adjoint is not None and broadcasts_to(shape, adjoint.shape) else None
            self._adjoints[shape] = None if fitted is None else fitted.reshape(-1).numpy()
        return self._adjoints[shape]

    @cached_property
    def _adjoints(self) -> dict[torch.Size, npt.NDArray[np.float32] | None]:
        return {}

    @cached_property
    def square_norm(self) -> float:
        """⟨observed, observed⟩."""
        return float((self.observed * self.observed).sum())

    def may_come_from(self, upstream: Tensor, factors: tuple[float, ...] = (1.0,)) -> bool:
        """Whether ``observed`` may be the term of an upstream gradient, times one of ``factors``.

        The gradient may be one that is stretched to the shape of the step's output.
        """
        adjoint = self._adjoint_for(upstream.shape)
        if adjoint is None:
            return True
        with np.errstate(all="ignore"):  # a student's gradient may hold anything
            product = float(adjoint.dot(upstream.reshape(-1).numpy()))
        return any(abs(factor * product - self.square_norm) <= NEAR * self.square_norm for factor in factors)


@dataclass(frozen=True)
class Bundle:
    """The edges along one path: the same share of the gradient comes through each."""

    edges: tuple[Edge, ...]

    @property
    def share(self) -> Tensor:
        """The share of the right gradient."""
        return self.edges[0].share

    @property
    def observed(self) -> Tensor:
        """What the student has in its place."""
        return self.edges[0].observed


@dataclass(frozen=True)
class Route:
    """One path: ``steps`` are its steps from the answer up, ``share`` is what comes down it, of the answer's shape."""

    number: int
    steps: tuple[str, ...]
    share: Tensor


@dataclass(frozen=True, eq=False)
class Case:
    """A wrong answer.

    ``answer`` has the shape of ``right`` wherever it broadcasts to it.
    """

    instance: Instance
    name: str
    answer: Tensor
    replay: BackwardReplay

    @property
    def right(self) -> Tensor:
        """The gradient that is right given the student's own upstream."""
        return self.replay.gradients[self.name]

    @cached_property
    def reference(self) -> Reference:
        """The reference of the instance."""
        return reference(self.instance)

    @cached_property
    def altered(self) -> AlteredSteps:
        """The steps of the instance, to be played again with alterations."""
        return altered_steps(self.instance)

    @property
    def values(self) -> Mapping[str, Tensor]:
        """Every named tensor of the forward pass."""
        return self.reference.state

    @cached_property
    def size(self) -> float:
        """The largest absolute value of answer and right gradient. Rounding noise is proportional to it."""
        finite = torch.nan_to_num(self.answer, nan=0.0, posinf=0.0, neginf=0.0)
        return max(float(finite.abs().max()), float(self.right.abs().max()))

    @property
    def is_finite_above(self) -> bool:
        """Whether the student's gradients above give a finite gradient here; nothing is compared with another."""
        return bool(self.right.isfinite().all())

    @cached_property
    def same_shape(self) -> bool:
        """Whether the answer has the shape of the right gradient."""
        return self.answer.shape == self.right.shape

    @cached_property
    def is_stretched(self) -> bool:
        """Whether the answer was stretched to the shape of the right gradient: its elements repeat."""
        return self.replay.handed_in[self.name].numel() < self.answer.numel()

    @cached_property
    def wrong(self) -> Tensor:
        """Where the answer is wrong, for an answer of the right shape. A few huge numbers make no others right."""
        answer, right = self.answer.numpy(), self.right.numpy()
        size = np.abs(right)
        with np.errstate(invalid="ignore", over="ignore"):
            right_ones = np.abs(answer - right) <= RELATIVE * size + NOISE * size.max()
        return torch.from_numpy(np.asarray(~right_ones))  # numpy makes a number of a tensor without axes

    def called(self, edge: Edge) -> NamedPart:
        """Return what the part of the gradient is called that comes through an edge."""
        for part, value in _formula_parts(self.instance, self.name):
            if value.shape == edge.share.shape and close(edge.share, value):
                return NamedPart(self.name, edge.read, edge.step.name, part.name, part.about)
        return NamedPart(self.name, edge.read, edge.step.name)

    @cached_property
    def edges(self) -> tuple[Edge, ...]:
        """The edges between the answer and the student's next gradients, the nearest first."""
        paths = self._paths
        uses = {(use.step.name, use.read): use for path in paths for use in path}
        edges, graph = [], self.altered.term_of_any_upstream
        for (_, read), use in uses.items():
            numbers = [number for number, path in enumerate(paths) if use in path]
            through = [paths[number] for number in numbers]
            heads = {path[: path.index(use)]: None for path in through}
            tails = {path[path.index(use) + 1 :]: None for path in through}
            if heads == {(): None}:
                upstream, term = use.upstream, use.terms[read]
            else:
                upstream = sum_of([self._along(head[1:], head[0].terms[head[0].read]) for head in heads])
                term = self._back(use.step, upstream)[read]
            share = term if read == self.name else sum_of([self._along(tail, term) for tail in tails])
            observed = self._in_place_of(share)
            edges.append(Edge(use.step, read, upstream, term, share, observed, tuple(tails), frozenset(numbers), graph))
        return tuple(sorted(edges, key=lambda edge: max(map(len, edge.tails))))

    @cached_property
    def bundles(self) -> tuple[Bundle, ...]:
        """The edges, grouped by their share. Edges whose share is only rounding are left out."""
        groups: list[list[Edge]] = []
        for edge in self.edges:
            if edge.share.shape != self.right.shape or not self.matters(edge.share):
                continue
            group = next((group for group in groups if self.same(edge.share, group[0].share)), None)
            if group is None:
                groups.append([edge])
            else:
                group.append(edge)
        return tuple(Bundle(tuple(edges)) for edges in groups)

    @cached_property
    def routes(self) -> tuple[Route, ...]:
        """The paths by which the gradient comes down, if there are several, in the order of their numbers."""
        if len(self._paths) == 1:
            return ()
        return tuple(
            Route(number, tuple(use.step.name for use in reversed(path)), self._brought[path])
            for number, path in enumerate(self._paths)
        )

    def is_whole(self, share: Tensor) -> bool:
        """Whether a share is the whole gradient."""
        return share is self.right or (share.shape == self.right.shape and close(share, self.right))

    def matters(self, share: Tensor) -> bool:
        """Whether a share is more than rounding."""
        return bool(share.abs().max() > MATTERS * self.size)

    @cached_property
    def direct(self) -> tuple[Edge, ...]:
        """The edges at the answer's own tensor."""
        return tuple(edge for edge in self.edges if edge.read == self.name)

    @cached_property
    def below(self) -> frozenset[str]:
        """The names that the answer's gradient flows on to."""
        names = {self.name}
        for step in reversed(self.reference.cut.steps):
            if step.name in names:
                names.update(step.reads)
        return frozenset(names - {self.name})

    def _in_place_of(self, share: Tensor) -> Tensor:
        if share is self.right:
            return self.answer
        try:
            return self.answer - (self.right - share)
        except RuntimeError:  # the shape of the answer does not broadcast
            return self.answer

    def uses(self, read: str) -> list[str]:
        """Return the names of the steps that read a tensor, in the order of the forward pass."""
        return [step.name for step in self.reference.cut.steps if read in step.reads]

    def arrives(self, edge: Edge, term: Tensor) -> Tensor | None:
        """Return what arrives at the answer if the edge adds ``term``; None if the shapes do not allow it."""
        if edge.read == self.name:
            return term
        try:
            return sum_of([self._along(tail, term) for tail in edge.tails])
        except (OddShape, RuntimeError):
            return None

    def arrives_alone(self, edge: Edge, value: bool) -> Tensor | None:
        """Return what arrives if ones go into the edge's line as the upstream gradient; with ``value``, its output."""
        key = (edge.step.name, edge.read, value)
        if key not in self._arrived_alone:
            self._arrived_alone[key] = self.arrives(edge, self.altered.term_without_upstream(*key))
        return self._arrived_alone[key]

    @cached_property
    def _arrived_alone(self) -> dict[tuple[str, str, bool], Tensor | None]:
        return {}

    def same(self, observed: Tensor, candidate: Tensor | None) -> bool:
        """Whether two tensors have the same shape and the same numbers but for rounding.

        False if ``observed`` is only rounding noise itself.
        """
        if candidate is None or observed.shape != candidate.shape or not observed.numel():
            return False
        noise, target = NOISE * self.size, self._target(observed)
        if target.largest <= MATTERS * self.size or not target.may_equal(target.sample(candidate), noise):
            return False
        return bool(((observed - candidate).abs() <= RELATIVE * candidate.abs() + noise).all())

    def weight(
        self, observed: Tensor, direction: Tensor | None, elements_min: int = FITTED_ELEMENTS_MIN
    ) -> float | None:
        """Return the number w with ``observed = w * direction``; None if there is none.

        Where fewer than ``elements_min`` elements of ``direction`` are nonzero any number fits, so that only 1 and -1
        are returned.
        """
        if direction is None or observed.shape != direction.shape:
            return None
        target = self._target(observed)
        if target.largest <= MATTERS * self.size:
            return None
        if self._ratio(target, direction) is None:
            return None
        # float64: the square of a small float32 is 0 in float32, and that of a large one infinite.
        one, other = observed.reshape(-1).double(), direction.reshape(-1).double()
        w = float(torch.dot(one, other)) / float(torch.dot(other, other))
        if abs(abs(w) - 1) > RELATIVE and int(torch.count_nonzero(direction)) < elements_min:
            return None
        return w if self.same(observed, w * direction) else None

    def may_be_multiple(self, observed: Tensor, candidate: Tensor) -> bool:
        """Whether ``observed`` may be a number times a candidate with as many elements, judged by a few of them."""
        return self._ratio(self._target(observed), candidate) is not None

    def _ratio(self, target: Target, direction: Tensor) -> float | None:
        """Return the ratio at the largest sampled element, if the other sampled ones have it, too."""
        sample = target.sample(direction)
        have, want = max(zip(target.values, sample, strict=True), key=lambda pair: abs(pair[0]))
        if want == 0 or not math.isfinite(have / want):
            return None
        ratio = have / want
        return ratio if target.may_equal([ratio * value for value in sample], 4 * NOISE * self.size) else None

    def _target(self, observed: Tensor) -> Target:
        target = self._targets.get(id(observed))
        if target is None or target.tensor is not observed:
            target = self._targets[id(observed)] = Target(observed)
        return target

    @cached_property
    def _targets(self) -> dict[int, Target]:
        """The id of a tensor → its target. Keeps the tensor alive, so that its id cannot be reused."""
        return {}

    @cached_property
    def constants(self) -> Mapping[str, int]:
        """Name → number, the whole numbers among the constants: lengths and the like."""
        return self.reference.constants

    @cached_property
    def _paths(self) -> list[tuple[Use, ...]]:
        """The paths by which the gradient comes down to the answer, each from the top.

        Paths that contribute nothing are left out: on paper nobody follows the one through the maximum of a softmax, or
        the one from a variance through the mean, and no mistake comes down there. If there are too many paths, only the
        last lines before the answer are looked at, with the gradients that are right there.
        """
        paths = self._up(self.name, ())
        left_out = any(use.step.name in self.replay.absent for path in paths for use in path)
        steps_max = PATH_STEPS_MAX_LEFT_OUT if left_out else PATH_STEPS_MAX
        if len(paths) > PATHS_MAX or sum(map(len, paths)) > steps_max:
            paths = [(use,) for use in self._uses.get(self.name, [])]
        if len(paths) == 1:
            return paths
        # The replay went back through the first step of each path already.
        brought = {path: self._along(path[1:], path[0].terms[path[0].read]) for path in paths}
        self._brought.update(brought)
        return [path for path in paths if len(path) == 1 or self.matters(brought[path])]

    @cached_property
    def _brought(self) -> dict[tuple[Use, ...], Tensor]:
        """A path → what comes down it, of the shape of the answer. ``_paths`` fills it in."""
        return {}

    def _up(self, name: str, below: tuple[Use, ...]) -> list[tuple[Use, ...]]:
        paths = []
        for use in self._uses.get(name, []):
            step = use.step.name
            path = (use, *below)
            if step == "loss" or (step in self.replay.handed_in and step not in self.replay.degenerate):
                paths.append(path)
            elif step not in self.reference.vanishing and len(paths) <= PATHS_MAX:
                paths += self._up(step, path)
        return paths

    @cached_property
    def _uses(self) -> dict[str, list[Use]]:
        """Name → its uses, the last one first."""
        uses: dict[str, list[Use]] = {}
        for flow in self.replay.flows.values():
            for read in flow.terms:
                uses.setdefault(read, []).append(Use(flow.step, read, flow.upstream, flow.terms))
        return uses

    def _along(self, path: tuple[Use, ...], gradient: Tensor) -> Tensor:
        """Carry a gradient down a path; one of an odd shape as a student's line carries it.

        :raises OddShape: a line cannot carry it
        """
        for use in path:
            if gradient.shape == use.step.output.shape:
                gradient = self._back(use.step, gradient)[use.read]
            else:
                odd = back_by_element(use.step, use.read, gradient)
                if odd is None:
                    raise OddShape(use.step.name)
                gradient = odd
        return gradient

    def _back(self, step: Step, upstream: Tensor) -> Mapping[str, Tensor]:
        """Go back through a step. Paths that share their upper steps go back through these once."""
        key = step.name, id(upstream)
        if key not in self._went_back:
            self._went_back[key] = upstream, back(step, upstream)
        return self._went_back[key][1]

    @cached_property
    def _went_back(self) -> dict[tuple[str, int], tuple[Tensor, Mapping[str, Tensor]]]:
        """A step and the id of an upstream gradient → that gradient, kept alive so, and the terms for it."""
        return {}


@kept_with_dissection
def _formula_parts(instance: Instance, name: str) -> tuple[tuple[formula.Part, Tensor], ...]:
    """Return the parts that the author of an exercise names, each with its value."""
    state = dict(instance.tensors())
    parts = instance.exercise.parts.get(name, ())
    return tuple((part, formula.evaluated(part.code, state, state[name].shape)) for part in parts)
