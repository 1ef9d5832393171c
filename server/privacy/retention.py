"""Retention: files of tensors are emptied when they are old enough.

Their grades stay; what was handed in cannot be read or graded again. Code is kept: it is small, and a regrade needs it.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import update
from sqlmodel import Session, col, select

from server.database.table import now
from server.tables import AnswerKind, GradeRow, SubmissionRow


def empty_tensors(session: Session, before: datetime) -> int:
    """Empty the files of tensors that were handed in before a moment and have a grade; return how many."""
    has_grade = select(GradeRow.id).where(GradeRow.submission_id == SubmissionRow.id).exists()
    old = update(SubmissionRow).where(
        col(SubmissionRow.kind) == AnswerKind.TENSORS,
        col(SubmissionRow.created_at) < before,
        col(SubmissionRow.emptied_at).is_(None),
        has_grade,
    )
    return session.connection().execute(old.values(body=b"", emptied_at=now())).rowcount
