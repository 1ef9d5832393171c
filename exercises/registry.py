"""The registry: every exercise of every installed pack, by slug.

A pack is a distribution with an entry point in the group ``backprop_dojo.exercises``. Its object is the pack's
exercises, a tuple of ``Exercise``::

    [project.entry-points."backprop_dojo.exercises"]
    makemore = "exercises.makemore:EXERCISES"
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Final

from exercises.errors import PackError
from exercises.exercise import Exercise
from exercises.forward_source import BadForwardPass

GROUP: Final = "backprop_dojo.exercises"
_SLUG: Final = re.compile(r"[a-z0-9-]+/[a-z0-9-]+")


class NoSuchExercise(LookupError):
    """No installed pack has an exercise of this slug."""

    def __init__(self, slug: str) -> None:
        super().__init__(f"there is no exercise {slug!r}; choose one of: {', '.join(exercises())}")


@cache
def exercises() -> Mapping[str, Exercise]:
    """Return slug → exercise. The packs are loaded at the first call.

    :raises PackError: no pack is installed, or one cannot be used
    """
    return load(entry_points(group=GROUP))


def find(slug: str) -> Exercise:
    """Return the exercise of a slug such as ``makemore/full-backward``.

    :raises NoSuchExercise: there is none
    :raises PackError: no pack is installed, or one cannot be used
    """
    try:
        return exercises()[slug]
    except KeyError:
        raise NoSuchExercise(slug) from None


def prepare() -> None:
    """Load every pack and the data that its exercises draw from, so that a fault shows at start.

    :raises PackError: no pack is installed, or a pack or its data cannot be used
    """
    for exercise in exercises().values():
        exercise.numbers.prepare()


def load(packs: Iterable[EntryPoint]) -> dict[str, Exercise]:
    """Load packs in the order of their names; return slug → exercise.

    :raises PackError: there is none, one cannot be used, or two hold the same slug
    """
    found: dict[str, Exercise] = {}
    origins: dict[str, str] = {}
    for pack in sorted(packs, key=_label):
        for exercise in _exercises_of(pack):
            if exercise.slug in found:
                raise PackError(
                    f"{exercise.slug} is there twice, in {origins[exercise.slug]} and in {_label(pack)}. "
                    "Uninstall one of the packs, or give one of the exercises another slug."
                )
            found[exercise.slug], origins[exercise.slug] = exercise, _label(pack)
    if not found:
        raise PackError(
            f"No pack of exercises is installed (entry points {GROUP}). Install the project again: pip install -e ."
        )
    return found


def _exercises_of(pack: EntryPoint) -> tuple[Exercise, ...]:
    """Load a pack.

    :raises PackError: its import fails, it is no tuple of exercises, or one of them has a bad slug or forward pass
    """
    try:
        held = pack.load()
    except Exception as error:  # the code of a pack may raise anything when it is imported
        raise PackError(
            f"{_label(pack)} cannot be loaded: {type(error).__name__}: {error}. Mend it, or uninstall it."
        ) from error
    if not isinstance(held, tuple) or not all(isinstance(exercise, Exercise) for exercise in held):
        raise PackError(f"{_label(pack)}: {pack.value} is no tuple of exercises. Let its entry point name one.")
    for exercise in held:
        if not _SLUG.fullmatch(exercise.slug):
            raise PackError(f"{_label(pack)}: {exercise.slug!r} is no slug. Use two words, such as topic/some-name.")
        try:
            _ = exercise.lines
        except BadForwardPass as error:
            raise PackError(f"{_label(pack)}, {exercise.slug}: {error}") from error
    return held


def _label(pack: EntryPoint) -> str:
    distribution = f" of {pack.dist.name} {pack.dist.version}" if pack.dist else ""
    return f"pack {pack.name}{distribution}"
