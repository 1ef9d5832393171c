"""The statement of the progress table, built by hand: the database writes the cells as the JSON that is sent.

A class of 1,000 has 26,000 cells. To make an object of each takes 20 times as long (``bench/queries.py``).
``tests/server/test_queries.py`` compares the table with its plain twin.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, String, and_, case, cast, false, func, or_, select
from sqlmodel import col

from exercises.exercise import Exercise
from grader.compare import Verdict
from server.database import dialect
from server.progress.record import PASSING
from server.tables import CourseRow, ProgressRow

# Between the cells of a student, and between the names of their checkpoints. Neither contains it.
SEPARATOR: Final = ";"
STUCK_SEPARATOR: Final = ":"  # between a checkpoint and its attempts


def cells_of_students(
    database: str, course: CourseRow, exercises: Sequence[Exercise], account_ids: Sequence[int] | None, stuck_after: int
) -> Select[Any]:
    """Select what ``outcomes_of_students`` does, then the names of the checkpoints handed in, and their cells.

    Both are in the same order. ``account_ids`` None means everybody.
    """
    names = func.aggregate_strings(col(ProgressRow.checkpoint), SEPARATOR)
    # Both databases write a moment with a space in the middle; nothing else in a cell has one.
    cells = func.replace(func.aggregate_strings(_cell(database), SEPARATOR), " ", "T")
    return outcomes_of_students(course, exercises, account_ids, stuck_after).add_columns(names, cells)


def outcomes_of_students(
    course: CourseRow, exercises: Sequence[Exercise], account_ids: Sequence[int] | None, stuck_after: int
) -> Select[int, str, int, int, int, str]:
    """Select account and exercise, how many steps were compared, passed and are exact, and the stuck ones as a text.

    Steps of today's exercises alone count. The stuck ones are ``name:attempts``, joined.
    """
    whose = () if account_ids is None else (col(ProgressRow.account_id).in_(account_ids),)
    has_passed = col(ProgressRow.best).in_(PASSING)
    is_stuck = and_(col(ProgressRow.attempts) >= stuck_after, ~has_passed)  # the first is seldom so
    stuck = case((is_stuck, col(ProgressRow.checkpoint) + STUCK_SEPARATOR + cast(ProgressRow.attempts, String)))
    return (
        select(
            col(ProgressRow.account_id),
            col(ProgressRow.exercise),
            func.count(),
            func.count().filter(has_passed),
            func.count().filter(col(ProgressRow.best) == Verdict.EXACT.value),
            func.aggregate_strings(stuck, SEPARATOR),
        )
        .where(col(ProgressRow.course_id) == course.id, _is_asked(exercises), *whose)
        .group_by(col(ProgressRow.account_id), col(ProgressRow.exercise))
    )


def _is_asked(exercises: Sequence[Exercise]) -> ColumnElement[bool]:
    """Return the condition that a row of progress is of a step of these exercises as they are today."""
    return or_(
        false(),
        *(
            and_(
                col(ProgressRow.exercise) == each.slug,
                col(ProgressRow.checkpoint).in_([checkpoint.name for checkpoint in each.checkpoints]),
            )
            for each in exercises
        ),
    )


def _cell(database: str) -> ColumnElement[str]:
    """Return a cell as the JSON of ``CellBody``."""
    moment = func.coalesce('"' + dialect.utc_text(database, col(ProgressRow.first_passed_at)) + '"', "null")
    attempts = cast(ProgressRow.attempts, String)
    return '{"best":"' + col(ProgressRow.best) + '","attempts":' + attempts + ',"first_passed_at":' + moment + "}"
