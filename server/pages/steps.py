"""The steps of an exercise in the groups under whose headings they are shown."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby

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
    headings = {name: heading for heading, names in exercise.groups.items() for name in names}
    groups = [headings.get(each.name, "") for each in exercise.checkpoints]
    sizes = [len(list(same)) for _, same in groupby(groups)]
    begins = [size if place == 0 else 0 for size in sizes for place in range(size)]
    return tuple(
        Column(each.name, exercise.lines.get(each.name), group, begin, _lecture(exercise, each.start))
        for each, group, begin in zip(exercise.checkpoints, groups, begins, strict=True)
    )


def _lecture(exercise: Exercise, start: int | None) -> str | None:
    return None if exercise.lecture is None or start is None else f"{exercise.lecture}&t={start}s"
