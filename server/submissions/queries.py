"""Statements that every submission asks, built once.

Built at each call, they take 1.9 to 4.5 times as long on SQLite, and 1.4 to 2 times on PostgreSQL
(``bench/queries.py``). ``tests/server/test_queries.py`` compares each with its plain twin.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import and_, bindparam, func
from sqlalchemy.orm import defer
from sqlmodel import col, select

from server.tables import ComparisonRow, CourseRow, GradeRow, SeatRow, SubmissionRow

# Id of the submission that an account made with an idempotency ``key``.
SUBMISSION_WITH_KEY: Final = select(SubmissionRow.id).where(
    SubmissionRow.account_id == bindparam("account_id"), SubmissionRow.idempotency_key == bindparam("key")
)
LAST_ATTEMPT: Final = select(func.max(SubmissionRow.attempt)).where(
    SubmissionRow.course_id == bindparam("course_id"),
    SubmissionRow.account_id == bindparam("account_id"),
    SubmissionRow.exercise == bindparam("exercise"),
)
NEWEST_GRADE: Final = (
    select(GradeRow)
    .where(GradeRow.submission_id == bindparam("submission_id"))
    .order_by(col(GradeRow.id).desc())
    .limit(1)
)
HAS_GRADE: Final = select(GradeRow.id).where(GradeRow.submission_id == bindparam("submission_id")).limit(1)
ROWS_OF_GRADE: Final = (
    select(ComparisonRow).where(ComparisonRow.grade_id == bindparam("grade_id")).order_by(col(ComparisonRow.position))
)
# When an account made the submission that is ``newer`` submissions away from its newest one of ``until``.
NTH_NEWEST_MOMENT: Final = (
    select(SubmissionRow.created_at)
    .where(SubmissionRow.account_id == bindparam("account_id"), SubmissionRow.created_at <= bindparam("until"))
    .order_by(col(SubmissionRow.created_at).desc())
    .offset(bindparam("newer"))
    .limit(1)
)
# The submission with this ``id``, its course, and the role of ``reader_id`` there, or None without a seat.
SUBMISSION_FOR_READER: Final = (
    select(SubmissionRow, CourseRow, SeatRow.role)
    .join(CourseRow, col(CourseRow.id) == SubmissionRow.course_id)
    .outerjoin(
        SeatRow,
        and_(col(SeatRow.course_id) == col(SubmissionRow.course_id), col(SeatRow.account_id) == bindparam("reader_id")),
    )
    .where(SubmissionRow.id == bindparam("id"))
    .options(defer(SubmissionRow.body))  # type: ignore[arg-type]
)
