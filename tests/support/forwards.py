"""Forward passes of tests, read from their lines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from exercises.exercise import Numbers
from exercises.language import reader
from exercises.language.forward import Forward
from exercises.tape import constants


def forward(lines: str, given: Mapping[str, Tensor]) -> Forward:
    """Read lines. Each tensor of floats among what is given requires a gradient."""
    samples = {
        name: value.clone().requires_grad_() if value.is_floating_point() else value for name, value in given.items()
    }
    return reader.read(lines, samples | constants(given))


@dataclass(frozen=True)
class SameNumbers:
    """The numbers of an exercise that has one instance."""

    tensors: dict[str, Tensor]

    def prepare(self) -> None:
        """Nothing is read."""

    def canonical(self) -> Numbers:
        return Numbers(dict(self.tensors), dataset="none")

    def draw(self, seed: int) -> Numbers:
        return self.canonical()
