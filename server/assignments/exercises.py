"""The exercise that a slug names."""

from __future__ import annotations

from exercises import registry
from exercises.exercise import Exercise
from server.http.problems import NotFound


class UnknownExercise(NotFound):
    """There is no exercise with this slug."""

    title, slug = "No such exercise", "unknown-exercise"


def find_exercise(slug: str) -> Exercise:
    """Return the exercise of a slug.

    :raises UnknownExercise: there is none
    """
    try:
        return registry.find(slug)
    except registry.NoSuchExercise:
        slugs = ", ".join(registry.exercises())
        raise UnknownExercise(f"There is no exercise {slug!r}. Choose one of: {slugs}.") from None
