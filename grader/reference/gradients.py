"""The reference: PyTorch's own gradients of an instance, which every answer is compared with."""

from __future__ import annotations

from collections.abc import Callable, Container, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache, wraps
from typing import Any, Concatenate, Final, ParamSpec, TypeVar

import torch
from torch import Tensor

from exercises.instance import Instance, Kind
from exercises.tape import CutTape, Step, constants
from grader import numerics
from grader.byte_cache import ByteCache
from grader.memory_budget import DISSECTIONS_BYTES, HIDDEN_REFERENCES_BYTES, STUDENT_REFERENCES_BYTES
from grader.reference.backward import go_back

VANISHING_BELOW = 1e-7  # measured: a gradient that is zero in mathematics comes out below 6e-9, any other above 2e-4


class StaleInstance(RuntimeError):
    """The forward pass does not give the frozen state bit for bit: another numeric environment froze it."""


@dataclass(frozen=True)
class Reference:
    """The right gradients of an instance.

    ``gradients`` maps each named float tensor to its gradient of the loss, of the same shape. ``vanishing`` are the
    names whose gradient is zero in mathematics, so that only rounding noise is left (``logit_maxes``; ``b1`` under
    batch normalisation). ``shapes`` are those of the whole forward state, in the order of its names.

    Everything else is needed for wrong answers alone, and takes twice the memory. It is kept for fewer instances
    (``Dissection``), and made again in less than a millisecond.
    """

    gradients: Mapping[str, Tensor]
    vanishing: frozenset[str]
    instance: Instance
    shapes: Mapping[str, torch.Size]

    @property
    def state(self) -> Mapping[str, Tensor]:
        """The forward state, in the order of its names."""
        return self._dissection.state

    @property
    def cut(self) -> CutTape:
        """The forward pass cut into its steps.

        Threads may go back through it at the same time: its graph is only read.
        """
        return self._dissection.cut

    @property
    def consumers(self) -> Mapping[str, Sequence[Step]]:
        """Name of a tensor → the steps that read it, in the order of the forward pass."""
        return self._dissection.consumers

    @property
    def backward_order(self) -> Sequence[str]:
        """Every name that has a gradient, those above before those below."""
        return self._dissection.backward_order

    @property
    def constants(self) -> Mapping[str, int]:
        """Name → number, the whole numbers among the constants: lengths and the like."""
        return self._dissection.constants

    def reach(self, step: str, read: str) -> float:
        """Return the largest term that a step gives for an upstream gradient of ones and minus ones.

        The signs are random, so that a sum that cancels shows the size of its terms.
        """
        return self._dissection.reach(step, read)

    def largest_terms(self, names: Iterable[str]) -> Mapping[str, float]:
        """Return name → some measure of the largest term in the sum of its right gradient.

        What cancels does not hide it.
        """
        return self._dissection.largest_terms(names, self.gradients)

    @property
    def _dissection(self) -> Dissection:
        return _dissection(self.instance)


class Dissection:
    """The forward pass of an instance, cut into its steps, and what was worked out of it since.

    If two threads make it at once, they make the same.
    """

    def __init__(self, instance: Instance) -> None:
        self.state = _state(instance)
        self.cut = instance.exercise.cut(self.state)
        self.worked_out: dict[Hashable, Any] = {}
        self._reach: dict[tuple[str, str], float] = {}
        self._largest: dict[str, float] = {}

    @cached_property
    def consumers(self) -> Mapping[str, Sequence[Step]]:
        """See ``Reference``."""
        consumers: dict[str, list[Step]] = {}
        for step in self.cut.steps:
            for read in step.reads:
                consumers.setdefault(read, []).append(step)
        return consumers

    @cached_property
    def backward_order(self) -> Sequence[str]:
        """See ``Reference``."""
        names = [step.name for step in reversed(self.cut.steps)]
        return [*names, *(read for read in self.consumers if read not in names)]

    @cached_property
    def constants(self) -> Mapping[str, int]:
        """See ``Reference``."""
        return {name: number for name, number in constants(self.state).items() if type(number) is int}

    def reach(self, step: str, read: str) -> float:
        """See ``Reference``."""
        if (step, read) not in self._reach:
            self._measure_reach([step])
        return self._reach[step, read]

    def largest_terms(self, names: Iterable[str], gradients: Mapping[str, Tensor]) -> Mapping[str, float]:
        """See ``Reference``, which knows the right gradients."""
        consumers = {name: self.consumers.get(name, ()) for name in names}
        # All in one pass of the engine: one step alone costs a third of that.
        self._measure_reach({step.name for steps in consumers.values() for step in steps})
        return {
            name: max(
                (self._reach[step.name, name] * self._largest_element(step.name, gradients) for step in steps),
                default=0.0,
            )
            for name, steps in consumers.items()
        }

    def _largest_element(self, step: str, gradients: Mapping[str, Tensor]) -> float:
        """Return the largest element of the right gradient of a step's output."""
        if step not in self._largest:
            self._largest[step] = float(gradients[step].abs().max()) if step in gradients else 0.0
        return self._largest[step]

    def _measure_reach(self, names: Container[str]) -> None:
        steps = self.cut.steps
        signs = _signs(tuple((step.output.shape, step.output.dtype) for step in steps))
        upstream = {
            step.name: ones
            for step, ones in zip(steps, signs, strict=True)
            if step.name in names and not all((step.name, read) in self._reach for read in step.reads)
        }
        for step, terms in back_all([step for step in steps if step.name in upstream], upstream).items():
            for read, term in terms.items():
                self._reach[step, read] = float(term.abs().max()) if term.numel() else 0.0


@lru_cache(maxsize=16)  # the same for all instances of an exercise
def _signs(outputs: Sequence[tuple[torch.Size, torch.dtype]]) -> Sequence[Tensor]:
    """Return ones and minus ones of each shape and type."""
    signs = torch.Generator().manual_seed(1)
    return [torch.randint(0, 2, shape, generator=signs).to(dtype) * 2 - 1 for shape, dtype in outputs]


def back(step: Step, upstream: Tensor) -> dict[str, Tensor]:
    """Go back through one step.

    ``upstream`` is the gradient of its output, of the same shape. Returns the name of each tensor that the step reads
    → the term that the step adds to its gradient.
    """
    if not step.reads:
        return {}
    terms = go_back([step.output], list(step.reads.values()), [upstream])
    return dict(zip(step.reads, terms, strict=True))


def back_all(steps: Sequence[Step], upstream: Mapping[str, Tensor]) -> dict[str, dict[str, Tensor]]:
    """Go back through many steps in one pass of the engine: step → the result of ``back``."""
    leaves = [(step.name, read, leaf) for step in steps for read, leaf in step.reads.items()]
    terms_of: dict[str, dict[str, Tensor]] = {step.name: {} for step in steps}
    if leaves:
        terms = go_back(
            [step.output for step in steps if step.reads],
            [leaf for _, _, leaf in leaves],
            [upstream[step.name] for step in steps if step.reads],
        )
        for (name, read, _), term in zip(leaves, terms, strict=True):
            terms_of[name][read] = term
    return terms_of


P = ParamSpec("P")
T = TypeVar("T")


def kept_with_dissection(
    work_out: Callable[Concatenate[Instance, P], T],
) -> Callable[Concatenate[Instance, P], T]:
    """Keep what a function works out of an instance as long as its dissection: so one bound holds for all of it."""

    @wraps(work_out)
    def kept(instance: Instance, /, *args: P.args, **kwargs: P.kwargs) -> T:
        worked_out = _dissection(instance).worked_out
        key = (work_out, *args, *kwargs.items())
        if key not in worked_out:
            worked_out[key] = work_out(instance, *args, **kwargs)
        found: T = worked_out[key]
        return found

    return kept


class RightTerms:
    """What each step of an instance adds for the right gradient of its output. Computed when it is asked for first."""

    def __init__(self, reference: Reference) -> None:
        self._reference = reference
        self._terms: dict[str, dict[str, Tensor]] = {}

    def of(self, steps: Iterable[Step]) -> Mapping[str, dict[str, Tensor]]:
        """Return step → the result of ``back``, for at least these steps."""
        self._terms.update(
            back_all([step for step in steps if step.name not in self._terms], self._reference.gradients)
        )
        return self._terms


@kept_with_dissection
def right_terms(instance: Instance) -> RightTerms:
    """Return the terms of the right backward pass of an instance."""
    return RightTerms(reference(instance))


def reference(instance: Instance) -> Reference:
    """Play the forward pass of an instance and go back through it. Cached.

    Hidden instances have a cache of their own. They are few and shared by everybody, and the many instances of students
    do not push them out.

    :raises UnpinnedNumerics: this process computes with other kernels
    :raises StaleInstance: other kernels froze the instance
    """
    cache = _of_hidden if instance.kind is Kind.HIDDEN else _of_student
    return cache.get(instance, lambda: _play(instance))


def _state(instance: Instance) -> dict[str, Tensor]:
    # safetensors gives the tensors in another order in each process; the first that fits is named in a diagnosis.
    return dict(sorted(instance.tensors().items()))


def _play(instance: Instance) -> Reference:
    numerics.environment()
    state = _state(instance)
    tape = instance.exercise.played(state)
    for name, value in tape.values().items():
        if not torch.equal(value, state[name]):
            raise StaleInstance(
                f"{instance.exercise.slug} {instance.digest[:12]}: {name} comes out different here. It was "
                "frozen in another numeric environment; draw the instance again."
            )
    gradients = tape.gradients()
    vanishing = {name for name, gradient in gradients.items() if gradient.abs().max() < VANISHING_BELOW}
    return Reference(gradients, frozenset(vanishing), instance, {name: value.shape for name, value in state.items()})


def _weigh(made: Reference) -> int:
    """Return the bytes of a reference and of the instance that it keeps."""
    return sum(gradient.nbytes for gradient in made.gradients.values()) + len(made.instance.state)


def _weigh_dissection(made: Dissection) -> int:
    """Return the bytes of a dissection with what is worked out of it, measured for the lecture's network."""
    return DISSECTED_TIMES * sum(tensor.nbytes for tensor in made.state.values())


DISSECTED_TIMES: Final = 20  # the bytes of the forward state
_of_hidden: ByteCache[Instance, Reference] = ByteCache(HIDDEN_REFERENCES_BYTES, _weigh)
_of_student: ByteCache[Instance, Reference] = ByteCache(STUDENT_REFERENCES_BYTES, _weigh)
_dissections: ByteCache[Instance, Dissection] = ByteCache(DISSECTIONS_BYTES, _weigh_dissection, newest_stays=True)


def _dissection(instance: Instance) -> Dissection:
    return _dissections.get(instance, lambda: Dissection(instance))


def divide_room(processes: int) -> None:
    """Give this process its part of the room, if several of a server keep references of students."""
    _of_student.bound(STUDENT_REFERENCES_BYTES // processes)
    _dissections.bound(DISSECTIONS_BYTES // processes)
