"""What has no gradient because a state starts at zero, such as the forget gate of an LSTM's first step.

A gradient that is zero on some seeds may be bad luck, or a ReLU that is dead: that is the author's to mend. Here it
counts as zero in mathematics if it is zero on each seed, and is not once the zeros are other numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from author.slices import silent
from exercises.folder import default_checkpoints
from exercises.language.forward import Forward
from exercises.language.given import Given
from exercises.tape import Tape

SEEDS: Final = range(8)
FILLED_WITH: Final = (1.0, -1.0)  # a maximum with zero, dead on each seed, is dead with one of these too


@dataclass(frozen=True)
class Vanishing:
    """Checkpoints, or parts of one as ``gates[:, 6:12]``, without a gradient because ``zeros`` are zero."""

    parts: tuple[str, ...]
    zeros: tuple[str, ...]


def vanishing(forward: Forward, given: Given) -> Vanishing:
    """Return what has no gradient because a tensor is zero."""
    zeros = _zeros(forward, given)
    if not zeros:
        return Vanishing((), ())
    plain = _largest(forward, given, lambda name, value: value)
    filled = [_largest(forward, given, _filling(zeros, number)) for number in FILLED_WITH]
    parts = []
    for name in default_checkpoints(forward, given.params):
        if all(name in sizes for sizes in (plain, *filled)):
            smallest = torch.stack([sizes[name] for sizes in filled]).amin(0)
            parts += [f"{name}{part}" for part in _vanishing_parts(plain[name], smallest)]
    return Vanishing(tuple(parts), zeros if parts else ())


def _filling(names: Collection[str], number: float) -> Callable[[str, Tensor], Tensor]:
    return lambda name, value: torch.full_like(value, number) if name in names else value


def _vanishing_parts(plain: Tensor, filled: Tensor) -> list[str]:
    """Return the parts of a gradient that are zero in ``plain`` alone; an empty text is all of it."""
    if not plain.any():
        return [""] if filled.any() else []
    return [part for part in silent(plain) if part not in silent(filled)]


def _zeros(forward: Forward, given: Given) -> tuple[str, ...]:
    """Return the names of tensors of numbers without a gradient that are zero on each seed."""
    values = [_played(forward, given, seed, lambda name, value: value).values() for seed in SEEDS[:2]]
    names = {*given.data, *forward.frozen}
    return tuple(
        name
        for name, value in values[0].items()
        if name in names and value.is_floating_point() and not any(bool(each[name].any()) for each in values)
    )


def _largest(forward: Forward, given: Given, change: Callable[[str, Tensor], Tensor]) -> Mapping[str, Tensor]:
    """Return the largest size of each gradient over the seeds."""
    found: dict[str, Tensor] = {}
    for seed in SEEDS:
        tape = _played(forward, given, seed, change)
        torch.autograd.backward(tape.loss)
        for name, gradient in tape.gradients().items():
            size = gradient.abs()
            found[name] = torch.maximum(found[name], size) if name in found else size
    return found


def _played(forward: Forward, given: Given, seed: int, change: Callable[[str, Tensor], Tensor]) -> Tape:
    tape = _ChangedTape({name: change(name, value) for name, value in given.tensors(seed).items()}, given.data)
    tape.change = change
    forward.play(tape)
    return tape


class _ChangedTape(Tape):
    """A tape that changes what is frozen."""

    change: Callable[[str, Tensor], Tensor]

    def freeze(self, name: str, value: Tensor) -> None:
        """Set a changed value that counts as data from here on."""
        super().freeze(name, self.change(name, value))
