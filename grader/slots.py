"""How much room the sandbox keeps for each answer.

A slot holds the gradient in float64, and what students often hand in instead: a gradient that is not summed yet, or
that of a tensor next to it. So it is as large as the largest tensor of the lines that read or set the checkpoint. What
does not fit is described by its shape.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Final

import torch

from exercises.instance import Instance
from grader.reference.gradients import reference
from grader.sandbox import Limits, Slot
from grader.sandbox.result_layout import ALIGNMENT_BYTES

ROOM_MIN: Final = 2**14  # bytes: small answers of any shape are kept, and 128 of them are 2 MiB

Sizes = tuple[tuple[str, int], ...]
Lines = tuple[tuple[str, tuple[str, ...]], ...]


def slots_of(instance: Instance, limits: Limits) -> tuple[Slot, ...]:
    """Return the room for each answer of an instance."""
    exercise = instance.exercise
    sizes = tuple((name, shape.numel()) for name, shape in reference(instance).shapes.items())
    names = tuple(checkpoint.name for checkpoint in exercise.checkpoints)
    return sized(
        names, sizes, tuple((line.name, tuple(line.reads)) for line in exercise.forward.lines), limits.output_bytes
    )


@lru_cache(maxsize=256)  # the same for all instances of an exercise
def sized(names: Sequence[str], sizes: Sizes, lines: Lines, output_bytes: int) -> tuple[Slot, ...]:
    """Return a slot for each name.

    ``sizes`` are the numbers of elements of all tensors of the forward state, ``lines`` the steps and what they read.
    Where the room around each checkpoint is more than ``output_bytes`` together, each gets that of its gradient alone.
    If that is still too much, ``Sandbox.run`` raises.
    """
    own = {name: size * torch.float64.itemsize for name, size in sizes}
    around = {name: max(own[each] for each in near) for name, near in _neighbours(own, lines).items()}
    wide = tuple(Slot(name, max(around[name], ROOM_MIN)) for name in names)
    if sum(slot.capacity + ALIGNMENT_BYTES for slot in wide) <= output_bytes:
        return wide
    return tuple(Slot(name, own[name]) for name in names)


def _neighbours(names: Iterable[str], lines: Lines) -> Mapping[str, set[str]]:
    """Return name → the names of all lines that it stands in."""
    neighbours = {name: {name} for name in names}
    for step, reads in lines:
        together = neighbours.keys() & {step, *reads}
        for name in together:
            neighbours[name] |= together
    return neighbours
