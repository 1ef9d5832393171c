"""The statement of the gradebook, built by hand: the database groups what earns the same.

A class of 10,000 in three exercises has half a million checkpoints. To work out each by itself takes many times as long
(``bench/queries.py``). ``tests/server/test_queries.py`` compares what students earn with the plain twin.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, case, func, literal, select
from sqlmodel import col

from server.assignments.assignment import Assignment
from server.assignments.points import step_weight
from server.tables import ProgressRow

ANY_MOMENT: Final = datetime(1970, 1, 1, tzinfo=UTC)


def groups_of_checkpoints(
    assignment: Assignment, checkpoints: list[str]
) -> Select[int, datetime | None, datetime | None, datetime | None, float]:
    """Select account, the first moments of checkpoints that were reached together, and what these weigh in all.

    Whatever is in time for everybody counts as at the due time: nothing depends on how early it was.
    """
    moments = [
        _not_before_due(assignment, column)
        for column in (ProgressRow.first_exact_at, ProgressRow.first_passed_at, ProgressRow.first_inherited_at)
    ]
    weights = {name: step_weight(assignment, name) for name in checkpoints if name in assignment.checkpoint_points}
    each: ColumnElement[Any] = case(weights, value=col(ProgressRow.checkpoint), else_=1.0) if weights else literal(1.0)
    return (
        select(col(ProgressRow.account_id), *moments, func.sum(each))
        .where(
            col(ProgressRow.course_id) == assignment.course_id,
            col(ProgressRow.exercise) == assignment.exercise,
            col(ProgressRow.checkpoint).in_(checkpoints),
        )
        .group_by(col(ProgressRow.account_id), *moments)
    )


def _not_before_due(assignment: Assignment, moment: Any) -> ColumnElement[datetime | None]:
    if assignment.due_at is None:  # nothing is ever late
        return case((moment.is_not(None), literal(ANY_MOMENT, moment.type)))
    in_time = assignment.due_at + timedelta(minutes=assignment.grace_minutes)
    return case((moment <= literal(in_time, moment.type), literal(in_time, moment.type)), else_=moment)
