"""Statements that every grade asks, built once: building one takes longer than running it.

``bench/queries.py`` has the ratios, and the tests have a plain twin of each, which must give the same.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import bindparam
from sqlmodel import col, delete, insert, select

from server.tables import ComparisonRow, GradeRow, TicketRow

DELETE_TICKET: Final = delete(TicketRow).where(col(TicketRow.submission_id) == bindparam("submission_id"))
# Revision and environment of each grade of a submission.
GRADES_OF_SUBMISSION: Final = select(GradeRow.revision, GradeRow.environment).where(
    GradeRow.submission_id == bindparam("submission_id")
)
INSERT_ROWS: Final = insert(ComparisonRow)
