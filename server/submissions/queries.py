"""Statements that every submission asks, built once.

Built at each call, they take 1.9 to 4.5 times as long on SQLite, and 1.4 to 2 times on PostgreSQL
(``bench/queries.py``). ``tests/server/test_queries.py`` compares each with its plain twin.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import and_, bindparam
from sqlalchemy.orm import aliased, defer
from sqlmodel import col, select

from server.database.prepared import Prepared
from server.instances.pool import POOL_SIZE
from server.tables import ComparisonRow, CourseRow, GradeRow, InstanceRow, SeatRow, SubmissionRow

GRADE_COLUMNS: Final = tuple(GradeRow.__table__.columns.keys())  # type: ignore[attr-defined]
ROW_COLUMNS: Final = tuple(ComparisonRow.__table__.columns.keys())  # type: ignore[attr-defined]

# Id of the submission that an account made with an idempotency ``key``.
SUBMISSION_WITH_KEY: Final = Prepared(
    select(SubmissionRow.id).where(
        SubmissionRow.account_id == bindparam("account_id"), SubmissionRow.idempotency_key == bindparam("key")
    )
)
# The newest attempts of an account, each with its instance: those that it is not to get again.
LAST_ATTEMPTS: Final = Prepared(
    select(SubmissionRow.attempt, SubmissionRow.instance_id)
    .where(
        SubmissionRow.course_id == bindparam("course_id"),
        SubmissionRow.account_id == bindparam("account_id"),
        SubmissionRow.exercise == bindparam("exercise"),
    )
    .order_by(col(SubmissionRow.attempt).desc())
    .limit(POOL_SIZE)
)
# The newest grade of a submission that counts, and the kind of its instance. One of a regrade counts once it is
# accepted.
NEWEST_GRADE: Final = Prepared(
    select(GradeRow, InstanceRow.kind)
    .join(InstanceRow, col(InstanceRow.id) == GradeRow.instance_id)
    .where(GradeRow.submission_id == bindparam("submission_id"), col(GradeRow.counts))
    .order_by(col(GradeRow.id).desc())
    .limit(1)
)
HAS_GRADE: Final = Prepared(select(GradeRow.id).where(GradeRow.submission_id == bindparam("submission_id")).limit(1))
ROWS_OF_GRADE: Final = Prepared(
    select(ComparisonRow).where(ComparisonRow.grade_id == bindparam("grade_id")).order_by(col(ComparisonRow.position))
)
# When an account made the submission that is ``newer`` submissions away from its newest one of ``until``.
NTH_NEWEST_MOMENT: Final = Prepared(
    select(SubmissionRow.created_at)
    .where(SubmissionRow.account_id == bindparam("account_id"), SubmissionRow.created_at <= bindparam("until"))
    .order_by(col(SubmissionRow.created_at).desc())
    .offset(bindparam("newer"))
    .limit(1)
)
# The submission with this ``id`` and its course; the role and section of ``reader_id`` there, or None and None without
# a seat; and the section of its student.
_Owner = aliased(SeatRow)
SUBMISSION_FOR_READER: Final = (
    select(SubmissionRow, CourseRow, SeatRow.role, SeatRow.section, _Owner.section)  # type: ignore[call-overload]
    .join(CourseRow, col(CourseRow.id) == SubmissionRow.course_id)
    .join(
        _Owner,
        and_(col(_Owner.course_id) == SubmissionRow.course_id, col(_Owner.account_id) == SubmissionRow.account_id),
    )
    .outerjoin(
        SeatRow,
        and_(
            col(SeatRow.course_id) == col(SubmissionRow.course_id),
            col(SeatRow.account_id) == bindparam("reader_id"),
            col(SeatRow.removed_at).is_(None),
        ),
    )
    .where(SubmissionRow.id == bindparam("id"))
    .options(defer(SubmissionRow.body))  # type: ignore[arg-type]
)
