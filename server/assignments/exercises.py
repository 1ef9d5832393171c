"""The exercise that a slug names, and whether a course has its pack."""

from __future__ import annotations

from typing import Final

from exercises import registry
from exercises.exercise import Exercise
from server.courses.pinned_packs import holds
from server.http.problems import NotFound
from server.tables import CourseRow

SHOWN_CHARACTERS_MAX: Final = 64  # of an unknown name


class UnknownExercise(NotFound):
    """There is no exercise with this slug."""

    title, slug = "No such exercise", "unknown-exercise"


class UnknownPack(NotFound):
    """There is no such pack, or the course does not have it."""

    title, slug = "No such pack", "unknown-pack"


def find_exercise(slug: str) -> Exercise:
    """Return the exercise of a slug.

    :raises UnknownExercise: there is none
    """
    try:
        return registry.find(slug)
    except registry.NoSuchExercise:
        close = registry.close_to(slug)
        hint = f" Did you mean {' or '.join(close)}?" if close else ""
        raise UnknownExercise(
            f"There is no exercise {slug[:SHOWN_CHARACTERS_MAX]!r}.{hint}",
            on_api="GET /api/v1/courses/{course}/exercises lists those of a course.",
        ) from None


def find_exercise_of(course: CourseRow, slug: str) -> Exercise:
    """Return the exercise of a slug, from a pack of a course.

    :raises UnknownExercise: there is none
    :raises UnknownPack: it is in a pack that the course does not have
    """
    exercise = find_exercise(slug)
    if not holds(course, slug):
        name = slug.partition("/")[0]
        raise UnknownPack(
            f"This course does not have the pack {name}. Add it to the course first.",
            on_api=f"PUT /api/v1/courses/{course.slug}/packs/{name} adds it.",
        )
    return exercise
