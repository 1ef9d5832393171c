"""Statements that every request asks, built once: building one takes longer than running it.

``bench/queries.py`` has the ratios, and the tests have a plain twin of each, which must give the same.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import and_, bindparam
from sqlmodel import col, select

from server.tables import CourseRow, SeatRow

# The course with this ``slug``, and the role of ``account_id`` in it, or None without a seat.
COURSE_AND_ROLE: Final = (
    select(CourseRow, SeatRow.role)
    .outerjoin(
        SeatRow,
        and_(col(SeatRow.course_id) == col(CourseRow.id), col(SeatRow.account_id) == bindparam("account_id")),
    )
    .where(CourseRow.slug == bindparam("slug"))
)
