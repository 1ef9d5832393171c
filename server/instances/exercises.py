"""The exercise that a request names, and the revisions that this server serves."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends

from exercises import registry
from exercises.exercise import Exercise
from server.assignments.exercises import find_exercise
from server.database import dialect
from server.database.engine import Database
from server.database.table import now
from server.tables import ExerciseRevisionRow, metadata


async def named_exercise(pack: str, name: str) -> Exercise:
    """Return the exercise that an address names.

    :raises UnknownExercise: there is none
    """
    return find_exercise(f"{pack}/{name}")


async def asked_exercises(exercise: str | None = None) -> list[Exercise]:
    """Return the exercise of the query ``?exercise=``, or all without it.

    :raises UnknownExercise: there is none
    """
    return list(registry.exercises().values()) if exercise is None else [find_exercise(exercise)]


TheExercise = Annotated[Exercise, Depends(named_exercise)]
AskedExercises = Annotated[list[Exercise], Depends(asked_exercises)]


def record_revisions(database: Database) -> None:
    """Write down the revisions of all exercises, so that submissions and instances can refer to them.

    Servers and workers start together on one database, so a revision may have just been written.
    """
    exercises = [*registry.exercises().values(), *registry.drills().values()]
    rows = [{"slug": each.slug, "revision": each.revision, "created_at": now()} for each in exercises]
    with database.writing() as session:
        dialect.insert_missing(session, metadata.tables[ExerciseRevisionRow.__tablename__], rows)
