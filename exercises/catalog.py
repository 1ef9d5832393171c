"""The catalogue: every exercise there is, by slug."""

from __future__ import annotations

from exercises.exercise import Exercise
from exercises.makemore import batch_norm, cross_entropy, full_backward

CATALOG: dict[str, Exercise] = {
    exercise.slug: exercise for exercise in (full_backward.EXERCISE, cross_entropy.EXERCISE, batch_norm.EXERCISE)
}


class NoSuchExercise(LookupError):
    """Nothing in the catalogue has this slug."""

    def __init__(self, slug: str) -> None:
        super().__init__(f"there is no exercise {slug!r}; choose one of: {', '.join(CATALOG)}")


def find(slug: str) -> Exercise:
    """The exercise of a slug such as ``makemore/full-backward``; raises NoSuchExercise."""
    try:
        return CATALOG[slug]
    except KeyError:
        raise NoSuchExercise(slug) from None
