"""What is new for a student: what staff wrote, and grades that were worked out again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, func, select

from server.tables import AccountRow, CommentRow, GradeRow, RegradeRow, SeatRow, SubmissionRow

NEWS_MAX: Final = 8


@dataclass(frozen=True)
class News:
    """Something that happened to a submission. ``author`` wrote a comment; None stands for an accepted regrade."""

    moment: datetime
    submission_id: int
    attempt: int
    exercise: str
    author: str | None = None
    checkpoint: str | None = None


def read_news(session: Session, account_id: int, since: datetime) -> list[News]:
    """Return what happened to somebody's work since a moment, the newest first."""
    news = [*_comments(session, account_id, since), *_regrades(session, account_id, since)]
    return sorted(news, key=lambda each: each.moment, reverse=True)[:NEWS_MAX]


def _comments(session: Session, account_id: int, since: datetime) -> list[News]:
    found = session.exec(
        select(CommentRow, SubmissionRow.attempt, SubmissionRow.exercise, AccountRow.name)
        .join(SubmissionRow, col(SubmissionRow.id) == CommentRow.submission_id)
        .join(AccountRow, col(AccountRow.id) == CommentRow.author_id)
        .join(SeatRow, _is_in_their_seat())
        .where(
            SubmissionRow.account_id == account_id,
            CommentRow.author_id != account_id,
            CommentRow.created_at > since,
            col(CommentRow.withdrawn_at).is_(None),
            col(SeatRow.removed_at).is_(None),
        )
        .order_by(col(CommentRow.id).desc())
        .limit(NEWS_MAX)
    )
    return [
        News(comment.created_at, comment.submission_id, attempt, exercise, author, comment.checkpoint)
        for comment, attempt, exercise, author in found
    ]


def _regrades(session: Session, account_id: int, since: datetime) -> list[News]:
    """Return the submissions whose newest grade is of a regrade that was accepted and passed other steps than before.

    Only that it happened is told; how much shows where results show.
    """
    earlier = aliased(GradeRow)
    before = (
        select(func.max(earlier.id))
        .where(earlier.submission_id == GradeRow.submission_id, earlier.id < GradeRow.id, col(earlier.counts))
        .correlate(GradeRow)
        .scalar_subquery()
    )
    previous = aliased(GradeRow)
    found = session.exec(
        select(RegradeRow.accepted_at, SubmissionRow.id, SubmissionRow.attempt, SubmissionRow.exercise)
        .join(GradeRow, col(GradeRow.regrade_id) == RegradeRow.id)
        .join(SubmissionRow, col(SubmissionRow.id) == GradeRow.submission_id)
        .join(previous, col(previous.id) == before)
        .join(SeatRow, _is_in_their_seat())
        .where(
            SubmissionRow.account_id == account_id,
            col(RegradeRow.accepted_at) > since,
            (col(previous.passed) != col(GradeRow.passed)) | (col(previous.exact) != col(GradeRow.exact)),
            col(SeatRow.removed_at).is_(None),
        )
        .order_by(col(GradeRow.id).desc())
        .limit(NEWS_MAX)
    )
    return [News(moment, id, attempt, exercise) for moment, id, attempt, exercise in found if moment is not None]


def _is_in_their_seat() -> ColumnElement[bool]:
    return (col(SeatRow.course_id) == SubmissionRow.course_id) & (col(SeatRow.account_id) == SubmissionRow.account_id)
