"""An instance: one frozen forward state of an exercise, kept as bytes.

A seed is not an instance: ``torch.randn`` gives other last bits under other kernels. So what is handed out,
kept and graded against are the bytes, and their digest is the instance's name.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

import safetensors.torch
from torch import Tensor

if TYPE_CHECKING:
    from exercises.exercise import Exercise


class Kind(StrEnum):
    """Who may see the numbers of an instance."""

    CANONICAL = "canonical"  # the lecture's, the same for everyone
    STUDENT = "student"  # one student's own
    HIDDEN = "hidden"  # nobody's: code is graded on it, so that memorised numbers are wrong


@dataclass(frozen=True)
class Instance:
    """``state`` holds every named tensor of the forward pass, as safetensors; ``dataset`` is the SHA-256 of
    the names from which the minibatch was drawn. Two instances with the same exercise and bytes are equal."""

    exercise: Exercise
    digest: str = field(init=False)
    state: bytes = field(repr=False, compare=False)
    kind: Kind = field(compare=False)
    dataset: str = field(compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "digest", hashlib.sha256(self.state).hexdigest())

    def tensors(self) -> dict[str, Tensor]:
        """Name → tensor, fresh copies each time."""
        return safetensors.torch.load(self.state)


def freeze(tensors: dict[str, Tensor]) -> bytes:
    """Tensors to safetensors bytes; the same tensors give the same bytes."""
    return safetensors.torch.save({name: tensor.detach().clone().contiguous() for name, tensor in tensors.items()})
