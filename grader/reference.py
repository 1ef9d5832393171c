"""The reference: PyTorch's own gradients of an instance, which every answer is compared with."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Final

import torch
from torch import Tensor

from exercises.instance import Instance, Kind
from exercises.tape import CutTape, Step, constants
from grader import numerics
from grader.byte_cache import MIB, ByteCache, keep_by_instance

VANISHING_BELOW = 1e-7  # measured: a gradient that is zero in mathematics comes out below 6e-9, any other above 2e-4


class StaleInstance(RuntimeError):
    """The forward pass does not give the frozen state bit for bit: another numeric environment froze it."""


@dataclass(frozen=True)
class Reference:
    """The right gradients of an instance.

    ``gradients`` maps each named float tensor to its gradient of the loss, of the same shape. ``vanishing`` are the
    names whose gradient is zero in mathematics, so that only rounding noise is left (``logit_maxes``; ``b1`` under
    batch normalisation). ``state`` is the forward state, in the order of its names.
    """

    gradients: Mapping[str, Tensor]
    vanishing: frozenset[str]
    instance: Instance
    state: Mapping[str, Tensor]

    @cached_property
    def cut(self) -> CutTape:
        """The forward pass cut into its steps, made for the first wrong answer.

        Threads may go back through it at the same time: its graph is only read. If two threads make it at once, they
        make the same.
        """
        return self.instance.exercise.cut(self.state)

    @cached_property
    def consumers(self) -> Mapping[str, Sequence[Step]]:
        """Name of a tensor → the steps that read it, in the order of the forward pass."""
        consumers: dict[str, list[Step]] = {}
        for step in self.cut.steps:
            for read in step.reads:
                consumers.setdefault(read, []).append(step)
        return consumers

    @cached_property
    def backward_order(self) -> Sequence[str]:
        """Every name that has a gradient, those above before those below."""
        names = [step.name for step in reversed(self.cut.steps)]
        return [*names, *(read for read in self.consumers if read not in names)]

    @cached_property
    def constants(self) -> Mapping[str, int]:
        """Name → number, the whole numbers among the constants: lengths and the like."""
        return {name: number for name, number in constants(self.state).items() if type(number) is int}

    def reach(self, step: str, read: str) -> float:
        """Return the largest term that a step gives for an upstream gradient of ones and minus ones.

        The signs are random, so that a sum that cancels shows the size of its terms.
        """
        if (step, read) not in self._reach:
            self._measure_reach([step])
        return self._reach[step, read]

    def largest_terms(self, names: Iterable[str]) -> Mapping[str, float]:
        """Return name → some measure of the largest term in the sum of its right gradient.

        What cancels does not hide it.
        """
        consumers = {name: self.consumers.get(name, ()) for name in names}
        # All in one pass of the engine: one step alone costs a third of that.
        self._measure_reach({step.name for steps in consumers.values() for step in steps})
        return {
            name: max((self._reach[step.name, name] * self._largest_element(step.name) for step in steps), default=0.0)
            for name, steps in consumers.items()
        }

    def _largest_element(self, step: str) -> float:
        """Return the largest element of the right gradient of a step's output."""
        if step not in self._largest:
            self._largest[step] = float(self.gradients[step].abs().max()) if step in self.gradients else 0.0
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

    @cached_property
    def _reach(self) -> dict[tuple[str, str], float]:
        return {}

    @cached_property
    def _largest(self) -> dict[str, float]:
        return {}


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
    terms = torch.autograd.grad(
        step.output, list(step.reads.values()), upstream, retain_graph=True, materialize_grads=True
    )
    return dict(zip(step.reads, terms, strict=True))


def back_all(steps: Sequence[Step], upstream: Mapping[str, Tensor]) -> dict[str, dict[str, Tensor]]:
    """Go back through many steps in one pass of the engine: step → the result of ``back``."""
    leaves = [(step.name, read, leaf) for step in steps for read, leaf in step.reads.items()]
    terms_of: dict[str, dict[str, Tensor]] = {step.name: {} for step in steps}
    if leaves:
        terms = torch.autograd.grad(
            [step.output for step in steps if step.reads],
            [leaf for _, _, leaf in leaves],
            [upstream[step.name] for step in steps if step.reads],
            retain_graph=True,
            materialize_grads=True,
        )
        for (name, read, _), term in zip(leaves, terms, strict=True):
            terms_of[name][read] = term
    return terms_of


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


@keep_by_instance(10 * MIB, states=3)  # a student hands in again and again, and most of it is right
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


def _play(instance: Instance) -> Reference:
    numerics.environment()
    # safetensors gives the tensors in another order in each process; the first that fits is named in a diagnosis.
    state = dict(sorted(instance.tensors().items()))
    tape = instance.exercise.played(state)
    for name, value in tape.values().items():
        if not torch.equal(value, state[name]):
            raise StaleInstance(
                f"{instance.exercise.slug} {instance.digest[:12]}: {name} comes out different here. It was "
                "frozen in another numeric environment; draw the instance again."
            )
    gradients = tape.gradients()
    vanishing = {name for name, gradient in gradients.items() if gradient.abs().max() < VANISHING_BELOW}
    return Reference(gradients, frozenset(vanishing), instance, state)


def _weigh(made: Reference) -> int:
    return sum(tensor.nbytes for tensors in (made.gradients, made.state) for tensor in tensors.values())


# Some 0.2 MB each for the lecture's network, and half of that again once something was wrong. It takes 2 ms to make one
# again, which is most of what a right single step costs. There is room for 500 students, and two hidden pools.
# Those of a whole GPT block take 0.9 MB each, so half of its pool is there; the others cost 3 ms again.
HIDDEN_BYTES_MAX: Final = 32 * MIB
STUDENT_BYTES_MAX: Final = 128 * MIB
_of_hidden: ByteCache[Instance, Reference] = ByteCache(HIDDEN_BYTES_MAX, _weigh)
_of_student: ByteCache[Instance, Reference] = ByteCache(STUDENT_BYTES_MAX, _weigh)
