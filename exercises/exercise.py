"""An exercise: a forward pass with named intermediates, and the checkpoints whose gradients are asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

import torch
from torch import Tensor

from exercises import forward_source
from exercises.derivations import Derivation
from exercises.formula import Part
from exercises.tape import CutTape, Piece, Tape


@dataclass(frozen=True)
class Numbers:
    """The tensors that a pack's forward passes start from: parameters, a minibatch, constants.

    ``dataset`` is the SHA-256 of the data from which the minibatch was drawn.
    """

    tensors: dict[str, Tensor]
    dataset: str


class NumberSource(Protocol):
    """Where the numbers of an exercise come from. What data it needs for that is the pack's own affair."""

    def prepare(self) -> None:
        """Read the data that ``draw`` needs. It is called once at start, so that a fault shows there.

        :raises PackError: the data cannot be used
        """

    def canonical(self) -> Numbers:
        """Return the lecture's numbers, the same bits on every call."""

    def draw(self, seed: int) -> Numbers:
        """Return other numbers of the same shapes. The seed decides them; it is at least 0 and below 2^63.

        :raises PackError: the data cannot be used
        """


@dataclass(frozen=True)
class Checkpoint:
    """A named tensor whose gradient is asked for.

    ``start`` and ``end`` are seconds into the lecture; None if the lecture does not derive it.
    """

    name: str
    start: int | None = None
    end: int | None = None

    @property
    def answer(self) -> str:
        """The student's variable."""
        return "d" + self.name


@dataclass(frozen=True)
class Exercise:
    """What is asked.

    ``pieces`` are the forward pass, played one after the other on a tape. ``given_from`` turns the tensors of
    ``numbers`` into those that this forward pass starts from. ``derivations`` maps checkpoints to what is said once
    they passed. ``parts`` maps checkpoints that are asked for in one expression to the summands of it. A change that
    could change a grade needs a new ``revision``.
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
    numbers: NumberSource
    lecture: str | None = None
    derivations: Mapping[str, Derivation] = field(default_factory=dict, compare=False)
    parts: Mapping[str, tuple[Part, ...]] = field(default_factory=dict, compare=False)

    @cached_property
    def forward_source(self) -> str:
        """The forward pass as the lecture writes it: the lines of the pieces without the tape.

        :raises BadForwardPass: a piece cannot be read
        """
        return "\n".join(forward_source.read(piece).text for piece in self.pieces)

    @cached_property
    def lines(self) -> dict[str, str]:
        """Name of a step → its line of the forward pass, without the comment.

        :raises BadForwardPass: a piece cannot be read
        """
        return {line.name: line.text for piece in self.pieces for line in forward_source.read(piece).lines}

    def play(self, tape: Tape) -> None:
        """Play the forward pass on a tape."""
        for piece in self.pieces:
            piece(tape)

    def given(self, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return the part of a forward state that no step computes."""
        return {name: value for name, value in state.items() if name not in self.lines}

    def played(self, state: Mapping[str, Tensor]) -> Tape:
        """Play the forward pass from a forward state, and the backward pass; return the tape."""
        tape = Tape(self.given(state))
        self.play(tape)
        torch.autograd.backward(tape.loss)
        return tape

    def cut(self, state: Mapping[str, Tensor]) -> CutTape:
        """Play the forward pass from a forward state with its steps cut apart; return the tape."""
        tape = CutTape(self.given(state))
        self.play(tape)
        return tape
