"""One line of the forward pass again, with something else in place of what it reads.

What autograd gives for a step is summed and shaped like the tensor that was read. To see what a student had
before the sum, or would have had with another tensor, a piece of the forward pass is played again: every read
gives the recorded value, but for the one that is to be altered.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property, lru_cache

import torch
from torch import Tensor

from exercises.exercise import Piece
from exercises.instance import Instance
from exercises.tape import CutTape, Step
from grader.reference import reference

# (the step being played, the name read, its recorded value) → what is read
Alter = Callable[[str, str, Tensor], Tensor]


class _AlteredTape(CutTape):
    """Plays a piece from recorded values only, so that an altered step spoils no other."""

    _alter: Alter
    _order: tuple[str, ...]

    def __init__(self, values: Mapping[str, Tensor], order: tuple[str, ...], alter: Alter) -> None:
        super().__init__(values)
        object.__setattr__(self, "_alter", alter)
        object.__setattr__(self, "_order", order)

    def __setattr__(self, name: str, value: Tensor) -> None:
        self._write(name, value)

    def _read(self, name: str, value: Tensor) -> Tensor:
        altered = self._alter(self._order[len(self._steps)], name, value)
        return super()._read(name, altered)


class Replays:
    """Plays steps of an instance again. What depends on the instance alone is kept."""

    def __init__(self, instance: Instance) -> None:
        self._values = reference(instance).state
        self._pieces = instance.exercise.pieces
        self._steps = {step.name: step for step in reference(instance).cut.steps}
        self._stretched: dict[tuple[str, str], Step | None] = {}

    def altered(self, step: str, alter: Alter) -> Step | None:
        """A step played again; None where the alteration breaks its line."""
        piece, order = self._home[step]

        def this_step_only(playing: str, name: str, value: Tensor) -> Tensor:
            return alter(playing, name, value) if playing == step else value

        tape = _AlteredTape(self._values, order, this_step_only)
        try:
            piece(tape)
        except (RuntimeError, IndexError, TypeError, ValueError):
            return None
        return next((played for played in tape.steps if played.name == step), None)

    def stretched(self, step: str, read: str) -> Step | None:
        """The step with ``read`` stretched to the shape of the output: its gradient is not summed yet.

        None where the line does not broadcast ``read``.
        """
        key = (step, read)
        if key not in self._stretched:
            self._stretched[key] = self._stretch(step, read)
        return self._stretched[key]

    def substituted(self, step: str, read: str, instead: Tensor) -> Step | None:
        """The step with another tensor of the same shape in place of ``read``."""
        return self.altered(step, lambda _, name, value: instead if name == read else value)

    def transposed(self, step: str, read: str) -> Step | None:
        """The step with a square tensor turned over; None where it is not square."""
        value = self._values[read]
        if value.dim() < 2 or value.shape[-1] != value.shape[-2]:
            return None
        return self.substituted(step, read, value.mT)

    def _stretch(self, step: str, read: str) -> Step | None:
        small, large = self._values[read], self._steps[step].output
        if small.numel() >= large.numel():
            return None
        try:
            wide = small.expand(large.shape)
        except RuntimeError:
            return None
        played = self.substituted(step, read, wide)
        if played is None or played.output.shape != large.shape or not torch.equal(played.output, large):
            return None
        return played

    @cached_property
    def _home(self) -> dict[str, tuple[Piece, tuple[str, ...]]]:
        """Step → the piece of the forward pass that plays it, and all of that piece's steps."""
        home = {}
        tape = CutTape({name: value for name, value in self._values.items() if name not in self._steps})
        for piece in self._pieces:
            before = len(tape.steps)
            piece(tape)
            order = tuple(step.name for step in tape.steps[before:])
            home.update(dict.fromkeys(order, (piece, order)))
        return home


@lru_cache(maxsize=64)
def replays(instance: Instance) -> Replays:
    """The replays of an instance; the steps are played when first asked for."""
    return Replays(instance)
