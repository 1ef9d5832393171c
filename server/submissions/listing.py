"""Lists of submissions: the newest first, page by page."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import defer
from sqlmodel import Session, col, select

from server.courses.access import Membership
from server.courses.roles import Permission
from server.courses.seats import in_section, is_listed
from server.http.problems import Forbidden
from server.tables import AccountRow, CourseRow, SeatRow, SubmissionRow

LISTED_MAX = 500
LISTED = 50


@dataclass(frozen=True)
class SubmissionFilter:
    """Which submissions of a course. What is None is not narrowed down; ``before`` is an id."""

    account_id: int | None = None
    section: str | None = None
    exercise: str | None = None
    before: int | None = None
    limit: int = LISTED


def visible_account(reader: Membership, reader_id: int, student: int | None) -> int | None:
    """Return whose submissions somebody lists who asks for those of ``student``, or of nobody. None is everybody.

    :raises Forbidden: they are another's, and the reader is no staff
    """
    if reader.may(Permission.READ_SUBMISSIONS):
        return student
    if student not in (None, reader_id):
        raise Forbidden("You see your own submissions. Leave out the student, or ask your instructor.")
    return reader_id


def find_submissions(session: Session, course: CourseRow, which: SubmissionFilter) -> list[SubmissionRow]:
    """Return submissions without their bodies. Work of people who were removed, erased or merged is left out."""
    wanted = (
        select(SubmissionRow)
        .join(
            SeatRow,
            (col(SeatRow.course_id) == SubmissionRow.course_id) & (col(SeatRow.account_id) == SubmissionRow.account_id),
        )
        .join(AccountRow, col(AccountRow.id) == SubmissionRow.account_id)
        .where(SubmissionRow.course_id == course.id, is_listed(), *in_section(which.section))
    )
    if which.account_id is not None:
        wanted = wanted.where(SubmissionRow.account_id == which.account_id)
    if which.exercise is not None:
        wanted = wanted.where(SubmissionRow.exercise == which.exercise)
    if which.before is not None:
        wanted = wanted.where(col(SubmissionRow.id) < which.before)
    wanted = wanted.order_by(col(SubmissionRow.id).desc()).limit(which.limit)
    return list(session.exec(wanted.options(defer(SubmissionRow.body))))  # type: ignore[arg-type]
