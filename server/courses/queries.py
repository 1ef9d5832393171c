"""The statement that every request about a course asks, compiled once.

docs/performance.md says how many times as long plain SQLAlchemy takes (``bench/queries.py``).
``tests/server/test_queries.py`` compares it with its plain twin.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import and_, bindparam
from sqlmodel import col, select

from server.database.prepared import Prepared
from server.tables import CourseRow, SeatRow

COURSE_COLUMNS: Final = CourseRow.column_names()

# The course with this ``slug``, and the role and section of ``account_id`` in it, or None and None without a seat.
COURSE_AND_ROLE: Final = Prepared(
    select(CourseRow, SeatRow.role, SeatRow.section)
    .outerjoin(
        SeatRow,
        and_(
            col(SeatRow.course_id) == col(CourseRow.id),
            col(SeatRow.account_id) == bindparam("account_id"),
            col(SeatRow.removed_at).is_(None),
        ),
    )
    .where(CourseRow.slug == bindparam("slug"))
)
