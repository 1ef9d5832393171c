"""The exercise that a slug names, and whether a course has its pack."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from exercises import registry
from exercises.exercise import Exercise
from server.courses.pinned_packs import holds
from server.http.problems import NotFound
from server.tables import CourseRow

SHOWN_CHARACTERS_MAX: Final = 64  # of an unknown name


class UnknownExercise(NotFound):
    """There is no exercise with this slug. It proposes those of ``among`` that have a similar name."""

    title, slug = "No such exercise", "unknown-exercise"

    def __init__(self, asked: str, among: Iterable[str] = ()) -> None:
        close = registry.close_to(asked, among)
        hint = f" Did you mean {' or '.join(close)}?" if close else ""
        super().__init__(
            f"There is no exercise {asked[:SHOWN_CHARACTERS_MAX]!r}.{hint}",
            on_api="GET /api/v1/courses/{course}/exercises lists those of a course.",
        )
        self.asked = asked


class UnknownPack(NotFound):
    """There is no such pack, or the course does not have it."""

    title, slug = "No such pack", "unknown-pack"


def find_exercise(slug: str) -> Exercise:
    """Return the exercise of a slug.

    :raises UnknownExercise: there is none; it proposes nothing, because not every course has every exercise
    """
    try:
        return registry.find(slug)
    except registry.NoSuchExercise:
        raise UnknownExercise(slug) from None


def find_exercise_of(course: CourseRow, slug: str) -> Exercise:
    """Return the exercise of a slug, from a pack of a course.

    :raises UnknownExercise: there is none
    :raises UnknownPack: it is in a pack that the course does not have
    """
    try:
        exercise = find_exercise(slug)
    except UnknownExercise:
        raise UnknownExercise(slug, (each for each in registry.exercises() if holds(course, each))) from None
    if not holds(course, slug):
        name = slug.partition("/")[0]
        raise UnknownPack(
            f"This course does not have the pack {name}. Add it to the course first.",
            on_api=f"PUT /api/v1/courses/{course.slug}/packs/{name} adds it.",
        )
    return exercise
