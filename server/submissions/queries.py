"""Statements that every submission asks, compiled once.

docs/performance.md says how many times as long plain SQLAlchemy takes (``bench/queries.py``).
``tests/server/test_queries.py`` compares each with its plain twin.
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import Integer, and_, bindparam
from sqlalchemy.orm import aliased, defer
from sqlmodel import col, func, select

from server.courses.queries import COURSE_COLUMNS
from server.database.prepared import Prepared
from server.tables import (
    AccountRow,
    CommentRow,
    ComparisonRow,
    CourseRow,
    GradeRow,
    InstanceRow,
    OverrideRow,
    SeatRow,
    SubmissionRow,
)

GRADE_COLUMNS: Final = GradeRow.column_names()
ROW_COLUMNS: Final = ComparisonRow.column_names()

# Id of the submission that an account made with an idempotency ``key``.
SUBMISSION_WITH_KEY: Final = Prepared(
    select(SubmissionRow.id).where(
        SubmissionRow.account_id == bindparam("account_id"), SubmissionRow.idempotency_key == bindparam("key")
    )
)
# The newest attempts of an account, ``newest`` of them, each with its instance.
LAST_ATTEMPTS: Final = Prepared(
    select(SubmissionRow.attempt, SubmissionRow.instance_id)
    .where(
        SubmissionRow.course_id == bindparam("course_id"),
        SubmissionRow.account_id == bindparam("account_id"),
        SubmissionRow.exercise == bindparam("exercise"),
    )
    .order_by(col(SubmissionRow.attempt).desc())
    .limit(bindparam("newest"))
)
# How many bytes of an account's files are kept in a course, of those that are ``larger`` than so many.
_bytes = func.length(SubmissionRow.body)
LARGE_BYTES_KEPT: Final = Prepared(
    select(func.coalesce(func.sum(_bytes), 0)).where(
        SubmissionRow.course_id == bindparam("course_id"),
        SubmissionRow.account_id == bindparam("account_id"),
        _bytes > bindparam("larger", type_=Integer),
    )
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


def _for_reader(*selected: Any) -> Any:
    columns: Any = (*selected, SeatRow.role, SeatRow.section, _Owner.section)
    return (
        select(*columns)
        .select_from(SubmissionRow)
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
    )


SUBMISSION_FOR_READER: Final = _for_reader(SubmissionRow, CourseRow).options(defer(SubmissionRow.body))  # type: ignore[arg-type]
# The same without its body, as columns: the session keeps neither.
HEAD_COLUMNS: Final = tuple(name for name in SubmissionRow.column_names() if name != "body")
HEAD_FOR_READER: Final = Prepared(
    _for_reader(
        *(getattr(SubmissionRow, name) for name in HEAD_COLUMNS), *(getattr(CourseRow, name) for name in COURSE_COLUMNS)
    )
)

# Id, name, university id and section of the student of a submission.
SUBMITTER: Final = Prepared(
    select(AccountRow.id, AccountRow.name, SeatRow.university_id, SeatRow.section)
    .join(SeatRow, col(SeatRow.account_id) == AccountRow.id)
    .where(SeatRow.course_id == bindparam("course_id"), AccountRow.id == bindparam("account_id"))
)
# The submissions before and after one of an account and exercise, and how many there are.
NEIGHBOURS: Final = Prepared(
    select(
        func.max(SubmissionRow.id).filter(col(SubmissionRow.id) < bindparam("id")),
        func.min(SubmissionRow.id).filter(col(SubmissionRow.id) > bindparam("id")),
        func.count(),
    ).where(
        SubmissionRow.course_id == bindparam("course_id"),
        SubmissionRow.account_id == bindparam("account_id"),
        SubmissionRow.exercise == bindparam("exercise"),
    )
)
# Name and verdict of each row of the newest grade of a submission that counts.
_newest = (
    select(func.max(GradeRow.id))
    .where(GradeRow.submission_id == bindparam("submission_id"), col(GradeRow.counts))
    .scalar_subquery()
)
VERDICTS: Final = Prepared(
    select(ComparisonRow.name, ComparisonRow.verdict)
    .where(ComparisonRow.grade_id == _newest)
    .order_by(col(ComparisonRow.position))
)
COMMENT_COLUMNS: Final = CommentRow.column_names()
# The comments on a submission that were not withdrawn, the oldest first, each with the name of its author.
COMMENTS: Final = Prepared(
    select(CommentRow, AccountRow.name)
    .join(AccountRow, col(AccountRow.id) == CommentRow.author_id)
    .where(CommentRow.submission_id == bindparam("submission_id"), col(CommentRow.withdrawn_at).is_(None))
    .order_by(col(CommentRow.id))
)
OVERRIDE_COLUMNS: Final = OverrideRow.column_names()
# The override of a student in an exercise that holds, with the names of the student and of its author.
_Student, _Author = aliased(AccountRow), aliased(AccountRow)
OVERRIDE: Final = Prepared(
    select(OverrideRow, _Student.name, _Author.name)
    .join(_Student, col(_Student.id) == OverrideRow.account_id)
    .outerjoin(_Author, col(_Author.id) == OverrideRow.author_id)
    .where(
        OverrideRow.course_id == bindparam("course_id"),
        OverrideRow.account_id == bindparam("account_id"),
        OverrideRow.exercise == bindparam("exercise"),
        col(OverrideRow.withdrawn_at).is_(None),
    )
    .order_by(col(OverrideRow.id).desc())
    .limit(1)
)
