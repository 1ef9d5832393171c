"""What a source of numbers offers beyond an instance if its network can be trained.

The server draws the start and the minibatches, replays steps, and measures losses by it. None of that is ever beside
students' code.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, runtime_checkable

from torch import Tensor

Parameters = Mapping[str, Tensor]


class Split(StrEnum):
    """A part of the dataset."""

    TRAIN = "train"
    DEV = "dev"


@dataclass(frozen=True)
class Losses:
    """The mean losses on whole splits, with the statistics of batch normalisation over the training split."""

    train: float
    dev: float


@dataclass(frozen=True)
class Measured:
    """A trained network: its losses, and names that it makes up."""

    losses: Losses
    names: tuple[str, ...]


@runtime_checkable
class Trainable(Protocol):
    """A network that can be trained."""

    @property
    def parameter_names(self) -> tuple[str, ...]:
        """The names of the parameters, in the lecture's order."""

    @property
    def dataset(self) -> str:
        """The SHA-256 of the data.

        :raises PackError: the data cannot be used
        """

    def start(self, seed: int) -> dict[str, Tensor]:
        """Return the parameters that a run of a seed starts from."""

    def constants(self, batch: int) -> dict[str, Tensor]:
        """Return the constants of a forward state with a minibatch of this size."""

    def minibatches(self, seed: int, first: int, count: int, batch: int) -> tuple[Tensor, Tensor]:
        """Return contexts ``(count, batch, 3)`` and targets ``(count, batch)`` of the steps from ``first`` on.

        Those of a step depend on the seed and on its number alone.
        """

    def gradients(self, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return parameter → right gradient on a forward state, by the formulas and not by a graph."""

    def probe(self, parameters: Parameters) -> float:
        """Return the loss on a fixed part of the dev split, each block with the statistics of its own minibatch."""

    def measured(self, parameters: Parameters, seed: int, names: int) -> Measured:
        """Return the losses on the whole splits, and so many names that the network makes up."""
