"""The names of a course's packs. What a pack holds is the registry's to say; nothing here loads it."""

from __future__ import annotations

from typing import Final

from server.tables import CourseRow

DEFAULT_PACK: Final = "makemore"  # of a course that pins none


def pack_names(course: CourseRow) -> tuple[str, ...]:
    """Return the names of the packs of a course, in the order in which they were added."""
    return tuple(course.packs) or (DEFAULT_PACK,)


def holds(course: CourseRow, exercise: str) -> bool:
    """Return whether the exercise of a slug is in a pack of a course."""
    return exercise.partition("/")[0] in pack_names(course)
