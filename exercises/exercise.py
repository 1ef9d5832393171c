"""An exercise: a forward pass with named intermediates, and the checkpoints whose gradients are asked for."""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import torch
from torch import Tensor

from exercises.instance import Instance, Kind, freeze
from exercises.names import Names
from exercises.tape import CutTape, Tape

Piece = Callable[[Tape], None]


class Network(Protocol):
    """Where parameters and minibatches come from: the lecture's, or a seed's."""

    @property
    def canonical_dataset(self) -> str:
        """SHA-256 of the names that the canonical minibatch was drawn from."""

    def canonical(self) -> dict[str, Tensor]:
        """The lecture's parameters, minibatch and constants."""

    def draw(self, seed: int, names: Names) -> dict[str, Tensor]:
        """Others, of the same shapes."""


@dataclass(frozen=True)
class Checkpoint:
    """A named tensor whose gradient is asked for; ``start`` and ``end`` are seconds into the lecture."""

    name: str
    start: int | None = None
    end: int | None = None

    @property
    def answer(self) -> str:
        """The student's variable."""
        return "d" + self.name


@dataclass(frozen=True)
class Exercise:
    """What is asked. ``pieces`` are the forward pass, played one after the other on a tape.

    ``given_from`` turns the network's parameters and minibatch into what this exercise's forward pass starts
    from. A change that could change anybody's grade is a new ``revision``.
    """

    slug: str
    revision: int
    title: str
    summary: str
    statement: str
    solution: str
    checkpoints: tuple[Checkpoint, ...]
    pieces: tuple[Piece, ...]
    given_from: Callable[[dict[str, Tensor]], dict[str, Tensor]]
    network: Network
    lecture: str | None = None

    @cached_property
    def forward_source(self) -> str:
        """The forward pass as the lecture writes it: the pieces' own lines without the tape."""
        return "\n".join(_as_lecture(piece) for piece in self.pieces)

    @cached_property
    def lines(self) -> dict[str, str]:
        """Name of a step → its line of the forward pass, without the comment."""
        found = re.findall(r"^(\w+) = (.*?)(?:\s+#.*)?$", self.forward_source, re.MULTILINE)
        return {name: f"{name} = {expression}" for name, expression in found}

    def play(self, tape: Tape) -> None:
        """Play the forward pass on a tape."""
        for piece in self.pieces:
            piece(tape)

    def given(self, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The part of a forward state that no step computes."""
        return {name: value for name, value in state.items() if name not in self.lines}

    def played(self, state: Mapping[str, Tensor]) -> Tape:
        """The forward pass played plainly from a state, backward pass included."""
        tape = Tape(self.given(state))
        self.play(tape)
        torch.autograd.backward(tape.loss)
        return tape

    def cut(self, state: Mapping[str, Tensor]) -> CutTape:
        """The forward pass played with its steps cut apart."""
        tape = CutTape(self.given(state))
        self.play(tape)
        return tape

    def canonical(self) -> Instance:
        """The lecture's own minibatch and parameters."""
        return self._instance(self.network.canonical(), Kind.CANONICAL, self.network.canonical_dataset)

    def draw(self, seed: int, names: Names, kind: Kind) -> Instance:
        """Another minibatch and other parameters, from a seed below 2^63."""
        return self._instance(self.network.draw(seed, names), kind, names.digest)

    def _instance(self, network: dict[str, Tensor], kind: Kind, dataset: str) -> Instance:
        tape = Tape(self.given_from(network))
        self.play(tape)
        return Instance(exercise=self, state=freeze(tape.values()), kind=kind, dataset=dataset)


def _as_lecture(piece: Piece) -> str:
    """``t.h = torch.tanh(t.hpreact)`` → ``h = torch.tanh(hpreact)``."""
    body = inspect.getsource(piece).partition(":\n")[2]
    return re.sub(r"\bt\.", "", textwrap.dedent(body)).strip()
