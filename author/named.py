"""The exercise that an author names: by the slug of an installed one, or by its folder."""

from __future__ import annotations

from pathlib import Path

from exercises import folder, registry
from exercises.exercise import Exercise


def named(exercise: str) -> Exercise:
    """Return an exercise.

    :raises NoSuchExercise: it is neither a folder nor the slug of an installed one
    :raises PackError: its folder cannot be used
    """
    path = Path(exercise)
    if path.is_dir():
        path = path.resolve()
        return folder.load(path, path.parent.name.replace("_", "-"))
    return registry.find(exercise)
