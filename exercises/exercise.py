"""An exercise: a forward pass with named intermediates, and the checkpoints whose gradients are asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

import torch
from torch import Tensor

from exercises.derivations import Derivation
from exercises.formula import Part
from exercises.language.forward import Forward
from exercises.tape import CutTape, Tape


@dataclass(frozen=True)
class Numbers:
    """The tensors that a forward pass starts from: parameters, a minibatch, constants.

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

    ``forward`` is the forward pass, and ``numbers`` draws what it starts from; ``data`` are names among these that have
    no gradient. ``derivations`` maps checkpoints to what is said once they passed, and ``hints`` to what their traps
    are. ``parts`` maps checkpoints that are asked for in one expression to the summands of it. ``groups`` maps
    headings to the checkpoints shown under them. ``vanishing`` are checkpoints whose gradient is zero in
    mathematics. Code is judged on ``draws_judged`` hidden instances. A change that could change a grade needs a new
    ``revision``.
    """

    slug: str
    revision: int
    title: str
    summary: str
    statement: str
    solution: str
    checkpoints: tuple[Checkpoint, ...]
    forward: Forward
    numbers: NumberSource
    lecture: str | None = None
    difficulty: str | None = None
    draws_judged: int = 1
    data: frozenset[str] = frozenset()
    vanishing: frozenset[str] = frozenset()
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict, compare=False)
    derivations: Mapping[str, Derivation] = field(default_factory=dict, compare=False)
    hints: Mapping[str, str] = field(default_factory=dict, compare=False)
    parts: Mapping[str, tuple[Part, ...]] = field(default_factory=dict, compare=False)
    proof: bytes | None = field(default=None, compare=False, repr=False)

    def __hash__(self) -> int:
        """Return the hash of slug and revision: the numbers may hold what has none, such as the options of a draw."""
        return hash((self.slug, self.revision))

    @cached_property
    def lines(self) -> dict[str, str]:
        """Name of a step → its line of the forward pass, without the comment."""
        return {line.name: line.text for line in self.forward.lines}

    @cached_property
    def without_gradient(self) -> frozenset[str]:
        """The names of data, and of lines whose value has no gradient. Integers and masks are not listed."""
        return self.data | self.forward.frozen

    def given(self, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return the part of a forward state that no line computes."""
        return {name: value for name, value in state.items() if name not in self.lines}

    def played(self, state: Mapping[str, Tensor]) -> Tape:
        """Play the forward pass from a forward state, and the backward pass; return the tape."""
        tape = Tape(self.given(state), self.data)
        self.forward.play(tape)
        torch.autograd.backward(tape.loss)
        return tape

    def cut(self, state: Mapping[str, Tensor]) -> CutTape:
        """Play the forward pass from a forward state with its steps cut apart; return the tape."""
        tape = CutTape(self.given(state), self.data)
        self.forward.play(tape)
        return tape
