"""The reference: PyTorch's own gradients of an instance, which every answer is compared with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from exercises.instance import Instance, Kind
from exercises.tape import CutTape, Step
from grader import numerics
from grader.caches.budget import HIDDEN_REFERENCES_BYTES, STUDENT_REFERENCES_BYTES
from grader.caches.byte_cache import ByteCache
from grader.reference import dissection
from grader.reference.backward import back_all
from grader.reference.dissection import Dissection, dissect, kept_with_dissection, state_of

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
        return dissect(self.instance)


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


def _play(instance: Instance) -> Reference:
    numerics.environment()
    state = state_of(instance)
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


_of_hidden: ByteCache[Instance, Reference] = ByteCache(HIDDEN_REFERENCES_BYTES, _weigh)
_of_student: ByteCache[Instance, Reference] = ByteCache(STUDENT_REFERENCES_BYTES, _weigh)


def divide_room(processes: int) -> None:
    """Give this process its part of the room, if several of a server keep references of students."""
    _of_student.bound(STUDENT_REFERENCES_BYTES // processes)
    dissection.divide_room(processes)
