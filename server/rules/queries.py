"""The statements that every answer asks about its assignment, compiled once.

docs/performance.md says how many times as long plain SQLAlchemy takes (``bench/queries.py``).
``tests/server/test_queries.py`` compares each with its plain twin.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import and_, bindparam, exists, or_
from sqlalchemy.orm import aliased
from sqlmodel import col, func, select

from server.database.prepared import Prepared
from server.tables import AssignmentRow, CourseRow, GradeRow, SubmissionRow, TicketRow, TicketState

ASSIGNMENT_COLUMNS: Final = AssignmentRow.column_names()

# Whether the course has any assignment, and that of the exercise or None. There is one row.
_Any = aliased(AssignmentRow)
ASSIGNMENT_OF_EXERCISE: Final = Prepared(
    select(exists().where(col(_Any.course_id) == bindparam("course_id")), AssignmentRow)
    .select_from(CourseRow)
    .outerjoin(
        AssignmentRow,
        and_(
            col(AssignmentRow.course_id) == col(CourseRow.id),
            col(AssignmentRow.exercise) == bindparam("exercise"),
        ),
    )
    .where(col(CourseRow.id) == bindparam("course_id"))
)

# How many attempts of an account at an exercise count: not those that were cancelled or set aside before any grade.
_has_grade = select(GradeRow.id).where(col(GradeRow.submission_id) == SubmissionRow.id).exists()
ATTEMPTS_USED: Final = Prepared(
    select(func.count())
    .select_from(SubmissionRow)
    .outerjoin(TicketRow, col(TicketRow.submission_id) == col(SubmissionRow.id))
    .where(
        SubmissionRow.course_id == bindparam("course_id"),
        SubmissionRow.account_id == bindparam("account_id"),
        SubmissionRow.exercise == bindparam("exercise"),
        or_(
            col(TicketRow.state).is_(None),
            col(TicketRow.state).in_((TicketState.QUEUED, TicketState.RUNNING)),
            _has_grade,
        ),
    )
)
