"""An instance: one frozen forward state of an exercise, kept as bytes.

A seed is not an instance, because ``torch.randn`` gives other last bits under other kernels. So the bytes are handed
out, kept and graded against, and their digest is the name of the instance.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import safetensors.torch
from torch import Tensor

from exercises.exercise import Exercise, Numbers
from exercises.tape import Tape


class Kind(StrEnum):
    """Who may see the numbers of an instance."""

    CANONICAL = "canonical"  # everybody: the lecture's
    STUDENT = "student"  # one student
    HIDDEN = "hidden"  # nobody: code is graded on it, so that memorised numbers are wrong


@dataclass(frozen=True)
class Instance:
    """A frozen forward state of an exercise.

    ``state`` holds every named tensor of the forward pass, as safetensors. ``dataset`` is the SHA-256 of the data from
    which the minibatch was drawn. Two instances are equal if their exercises and bytes are equal.
    """

    exercise: Exercise
    digest: str = field(init=False)
    state: bytes = field(repr=False, compare=False)
    kind: Kind = field(compare=False)
    dataset: str = field(compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "digest", hashlib.sha256(self.state).hexdigest())

    def __hash__(self) -> int:
        """Hash the digest alone: every cache asks, and the fields of an exercise are many."""
        return hash(self.digest)

    @classmethod
    def canonical(cls, exercise: Exercise) -> Instance:
        """Freeze the lecture's own numbers."""
        return cls._frozen(exercise, exercise.numbers.canonical(), Kind.CANONICAL)

    @classmethod
    def draw(cls, exercise: Exercise, seed: int, kind: Kind) -> Instance:
        """Freeze the numbers of a seed, which is at least 0 and below 2^63.

        :raises PackError: the data of the exercise's pack cannot be used
        """
        return cls._frozen(exercise, exercise.numbers.draw(seed), kind)

    @classmethod
    def _frozen(cls, exercise: Exercise, numbers: Numbers, kind: Kind) -> Instance:
        tape = Tape(numbers.tensors, exercise.data)
        exercise.forward.play(tape)
        return cls(exercise=exercise, state=freeze(tape.values()), kind=kind, dataset=numbers.dataset)

    def tensors(self) -> dict[str, Tensor]:
        """Return name → tensor, fresh copies on each call."""
        return safetensors.torch.load(self.state)


def freeze(tensors: Mapping[str, Tensor]) -> bytes:
    """Return the tensors as safetensors bytes; the same tensors give the same bytes."""
    return safetensors.torch.save({name: tensor.detach().clone().contiguous() for name, tensor in tensors.items()})
