"""The steps of an exercise in groups: those whose gradients are derived through the same piece of the forward pass."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby

from exercises import forward_source
from exercises.exercise import Exercise


@dataclass(frozen=True)
class Column:
    """A step: its line of the forward pass, None for what is given, and how many steps of its group begin here.

    ``begins`` is 0 within a group.
    """

    name: str
    line: str | None
    group: str
    begins: int
    lecture: str | None


@lru_cache(maxsize=64)
def columns_of(exercise: Exercise) -> tuple[Column, ...]:
    """Return the steps of an exercise in their order, from the loss to the data."""
    groups = [_group(exercise, each.name) for each in exercise.checkpoints]
    sizes = [len(list(same)) for _, same in groupby(groups)]
    begins = [size if place == 0 else 0 for size in sizes for place in range(size)]
    return tuple(
        Column(each.name, exercise.lines.get(each.name), group, begin, _lecture(exercise, each.start))
        for each, group, begin in zip(exercise.checkpoints, groups, begins, strict=True)
    )


def _group(exercise: Exercise, name: str) -> str:
    """Return the name of the piece that uses a step: its gradient comes from there."""
    word = re.compile(rf"\b{re.escape(name)}\b")
    for piece in reversed(exercise.pieces):
        for line in forward_source.read(piece).lines:
            if word.search(line.text.partition("=")[2]):
                return piece.__name__.replace("_", " ")
    return ""


def _lecture(exercise: Exercise, start: int | None) -> str | None:
    return None if exercise.lecture is None or start is None else f"{exercise.lecture}&t={start}s"
