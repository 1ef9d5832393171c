"""What has no gradient, whatever the numbers: such parts are declared as vanishing when they are pasted.

1. A state starts at zero, such as that of an LSTM, whose first forget gate has no gradient then. It counts if the
   gradient is zero on each seed, and is not once the state is other numbers.
2. A part is zero for any numbers, such as the first row of causal scores, or the bias of a key. It counts if it is zero
   in float64 on each seed, and with other distributions of all that is given.

A gradient that is zero for another reason, such as a ReLU that is dead, is the author's to mend.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from author.precise import PrecisePass
from author.slices import silent
from author.wording import listed
from exercises.folder import default_checkpoints
from exercises.language.forward import Forward
from exercises.language.given import Given
from exercises.tape import Tape, is_constant

SEEDS: Final = range(8)
OTHERS_MIN: Final = 4  # finite losses with other distributions, or nothing is said
LISTED_MAX: Final = 6  # exercise.toml has them all
ZERO: Final = 1e-12  # of the largest gradient, in float64
FILLED_WITH: Final = (1.0, -1.0)  # a maximum with zero, dead on each seed, is dead with one of these too


@dataclass(frozen=True)
class Vanishing:
    """Checkpoints, or parts of one as ``gates[:, 6:12]``, without a gradient; and why, as half a sentence."""

    parts: tuple[str, ...]
    reason: str


def vanishing(forward: Forward, given: Given) -> list[Vanishing]:
    """Return what has no gradient whatever the numbers are, by its reason."""
    names = default_checkpoints(forward, given.params)
    found = []
    zeros = _zeros(forward, given)
    by_zeros = _because_of(zeros, names, forward, given) if zeros else []
    if by_zeros:
        found.append(
            Vanishing(tuple(by_zeros), f"because {listed(zeros, LISTED_MAX)} start{'s' * (len(zeros) == 1)} at zero")
        )
    always = [part for part in _always(names, forward, given) if part not in by_zeros]
    if always:
        found.append(Vanishing(tuple(always), "whatever the numbers are"))
    return found


def _always(names: Sequence[str], forward: Forward, given: Given) -> Iterator[str]:
    """Yield the parts that are zero in float64 on each seed and in each distribution."""
    draws = [given.tensors(seed) for seed in SEEDS]
    found = [each for each in (_precise(forward, given, draw) for draw in draws) if each is not None]
    others = [each for draw in draws if (each := _precise(forward, given, _turned(draw))) is not None]
    if len(found) < len(draws) or len(others) < OTHERS_MIN:
        return
    found += others
    scales = [max(float(gradient.abs().max()) for gradient in each.values()) for each in found]
    for name in (each for each in names if all(each in gradients for gradients in found)):
        sizes = torch.stack([each[name].abs() for each in found])
        zero = torch.stack([size <= ZERO * scale for size, scale in zip(sizes, scales, strict=True)]).all(0)
        is_noisy = bool((sizes[:, zero] > 0).any())  # it cancels, and rounding is left: no ReLU is dead
        if bool(zero.all()):
            yield from [name] if is_noisy else []
        elif is_noisy or name not in given.params:
            yield from (f"{name}{part}" for part in silent(1.0 - zero.double()))


def _precise(forward: Forward, given: Given, tensors: Mapping[str, Tensor]) -> dict[str, Tensor] | None:
    """Return the gradients in float64, None if the numbers lead to no finite loss."""
    try:
        played = PrecisePass(forward, tensors, given.data)
    except RuntimeError:  # such as a root of a matrix that has none
        return None
    return played.gradients() if math.isfinite(played.loss) else None


def _turned(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return numbers of another size, sign and mean in place of those that are drawn."""
    turned = {}
    for place, (name, value) in enumerate(tensors.items()):
        is_drawn = value.is_floating_point() and not is_constant(value)
        turned[name] = value * (-2.0, 0.5, -1.0)[place % 3] + (0.3, -0.2)[place % 2] if is_drawn else value
    return turned


def _because_of(zeros: Collection[str], names: Sequence[str], forward: Forward, given: Given) -> list[str]:
    """Return the parts that are zero because these tensors are."""
    plain = _largest(forward, given, lambda name, value: value)
    filled = [_largest(forward, given, _filling(zeros, number)) for number in FILLED_WITH]
    parts = []
    for name in names:
        if all(name in sizes for sizes in (plain, *filled)):
            smallest = torch.stack([sizes[name] for sizes in filled]).amin(0)
            parts += [f"{name}{part}" for part in _vanishing_parts(plain[name], smallest)]
    return parts


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
