"""Statements that every grade asks, compiled once.

docs/performance.md says how many times as long plain SQLAlchemy takes (``bench/queries.py``).
``tests/server/test_queries.py`` compares each with its plain twin.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import bindparam
from sqlmodel import col, delete, select

from server.database.prepared import Prepared, PreparedRows
from server.tables import ComparisonRow, GradeRow, TicketRow, metadata

# It returns the regrade that the ticket was of, or None.
DELETE_TICKET: Final = Prepared(
    delete(TicketRow)
    .where(col(TicketRow.submission_id) == bindparam("submission_id"))
    .returning(col(TicketRow.regrade_id))
)
# Revision and environment of each grade of a submission.
GRADES_OF_SUBMISSION: Final = Prepared(
    select(GradeRow.revision, GradeRow.environment).where(GradeRow.submission_id == bindparam("submission_id"))
)
INSERT_ROWS: Final = PreparedRows(metadata.tables[ComparisonRow.__tablename__])
