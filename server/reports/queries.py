"""The statement of the progress table, built by hand: the database writes the cells as the JSON that is sent.

A class of 1,000 has 26,000 cells. To make an object of each takes 20 times as long (``bench/queries.py``).
``tests/server/test_queries.py`` compares the table with its plain twin.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import ColumnElement, Select, String, cast, func, select
from sqlmodel import col

from exercises.exercise import Exercise
from server.database import dialect
from server.tables import CourseRow, ProgressRow

# Between the cells of a student, and between the names of their checkpoints. Neither contains it.
SEPARATOR: Final = ";"


def cells_of_students(
    database: str, course: CourseRow, exercises: Sequence[Exercise], account_ids: Sequence[int] | None
) -> Select[int, str, str, str]:
    """Select account, exercise, the names of the checkpoints handed in, and their cells in the same order.

    ``account_ids`` None means everybody.
    """
    whose = () if account_ids is None else (col(ProgressRow.account_id).in_(account_ids),)
    names = func.aggregate_strings(col(ProgressRow.checkpoint), SEPARATOR)
    # Both databases write a moment with a space in the middle; nothing else in a cell has one.
    cells = func.replace(func.aggregate_strings(_cell(database), SEPARATOR), " ", "T")
    return (
        select(col(ProgressRow.account_id), col(ProgressRow.exercise), names, cells)
        .where(
            col(ProgressRow.course_id) == course.id,
            col(ProgressRow.exercise).in_([each.slug for each in exercises]),
            *whose,
        )
        .group_by(col(ProgressRow.account_id), col(ProgressRow.exercise))
    )


def _cell(database: str) -> ColumnElement[str]:
    """Return a cell as the JSON of ``CellBody``."""
    moment = func.coalesce('"' + dialect.utc_text(database, col(ProgressRow.first_passed_at)) + '"', "null")
    attempts = cast(ProgressRow.attempts, String)
    return '{"best":"' + col(ProgressRow.best) + '","attempts":' + attempts + ',"first_passed_at":' + moment + "}"
