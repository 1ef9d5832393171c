"""One line of the forward pass again, with something else in place of what it reads.

What autograd gives for a step is summed and shaped like the tensor that was read. To see what a student had
before the sum, or would have had with another tensor, a line is played again: every read gives the recorded
value, but for the one that is to be altered.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache

import torch
from torch import Tensor

from exercises import forward_source
from exercises.instance import Instance
from exercises.tape import CutTape, Step
from grader.reference import back, reference

# (the name read, its recorded value) → what is read
Alter = Callable[[str, Tensor], Tensor]


class _AlteredTape(CutTape):
    """Plays one line from recorded values."""

    _alter: Alter

    def __init__(self, values: Mapping[str, Tensor], alter: Alter) -> None:
        object.__setattr__(self, "_steps", [])
        object.__setattr__(self, "_leaves", {})
        object.__setattr__(self, "_values", values)
        object.__setattr__(self, "_alter", alter)

    def __setattr__(self, name: str, value: Tensor) -> None:
        self._write(name, value)

    def _read(self, name: str, value: Tensor) -> Tensor:
        return super()._read(name, self._alter(name, value))


class Replays:
    """Plays steps of an instance again. What depends on the instance alone is kept."""

    def __init__(self, instance: Instance) -> None:
        self._values = reference(instance).state
        pieces = instance.exercise.pieces
        self._lines = {line.name: line for piece in pieces for line in forward_source.read(piece).lines}
        self._steps = {step.name: step for step in reference(instance).cut.steps}
        self._stretched: dict[tuple[str, str], Step | None] = {}
        self._bare: dict[tuple[str, bool], dict[str, Tensor]] = {}
        self._places: dict[tuple[str, str], Tensor | None] = {}

    def altered(self, step: str, alter: Alter) -> Step | None:
        """A step played again; None where the alteration breaks its line."""
        tape = _AlteredTape(self._values, alter)
        try:
            self._lines[step].play(tape)
        except (RuntimeError, IndexError, TypeError, ValueError):
            return None
        return tape.steps[0]

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
        return self.altered(step, lambda name, value: instead if name == read else value)

    def transposed(self, step: str, read: str) -> Step | None:
        """The step with a square tensor turned over; None where it is not square."""
        value = self._values[read]
        if value.dim() < 2 or value.shape[-1] != value.shape[-2]:
            return None
        return self.substituted(step, read, value.mT)

    def bare(self, step: str, read: str, value: bool) -> Tensor:
        """What the step adds to the gradient of ``read`` if ones came in from above; or its own value did."""
        key = (step, value)
        if key not in self._bare:
            output = self._steps[step].output.detach()
            self._bare[key] = back(self._steps[step], output if value else torch.ones_like(output))
        return self._bare[key][read]

    def places(self, step: str, read: str) -> Tensor | None:
        """From which place of ``read`` each element of the output was taken, both flattened; None where the line
        does more than take.
        """
        key = (step, read)
        if key not in self._places:
            self._places[key] = self._find_places(step, read)
        return self._places[key]

    def _find_places(self, step: str, read: str) -> Tensor | None:
        recorded, output = self._values[read], self._steps[step].output.detach()
        numbers = torch.arange(recorded.numel(), dtype=recorded.dtype).reshape(recorded.shape)
        played = self.substituted(step, read, numbers)
        if played is None:
            return None
        places = played.output.detach().reshape(-1).to(torch.int64)
        if bool(((places < 0) | (places >= recorded.numel())).any()):
            return None
        return places if torch.equal(recorded.reshape(-1)[places], output.reshape(-1)) else None

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


@lru_cache(maxsize=64)
def replays(instance: Instance) -> Replays:
    """The replays of an instance; the steps are played when first asked for."""
    return Replays(instance)
