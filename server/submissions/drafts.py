"""Drafts: the code that somebody is writing, kept so that it is there on their next device."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, select

from server.accounts.accounts import lock_account
from server.courses.access import CourseSession, require_active
from server.database.table import now
from server.http.middleware import SOURCE_BYTES_MAX
from server.http.problems import TooLarge
from server.tables import DraftRow


@dataclass(frozen=True)
class Draft:
    """A draft. ``overwrote`` is when the draft was changed elsewhere that this one replaced, or None."""

    source: str
    changed_at: datetime
    overwrote: datetime | None = None


def find_draft(session: Session, course_id: int, account_id: int, exercise: str) -> Draft | None:
    """Return an account's draft for an exercise, or None."""
    row = _row(session, course_id, account_id, exercise)
    return None if row is None else Draft(row.source, row.changed_at)


def keep_draft(member: CourseSession, exercise: str, source: str, seen: datetime | None) -> Draft:
    """Keep a draft in place of the one before: the last one holds.

    :param seen: when the draft was changed on which this one builds, or None without one. If the one before is another,
        the draft that is returned says so.

    :raises Archived: the course takes nothing in
    :raises TooLarge: the source is too long
    """
    require_active(member.course)
    if len(source.encode()) > SOURCE_BYTES_MAX:
        raise TooLarge(
            f"The draft is longer than {SOURCE_BYTES_MAX // 1024} KiB. Keep only what computes the gradients."
        )
    lock_account(member.session, member.account_id)
    row = _row(member.session, member.course.id, member.account_id, exercise)
    if row is not None and row.source == source:
        return Draft(row.source, row.changed_at)
    moment = now()
    if row is None:
        row = DraftRow(course_id=member.course.id, account_id=member.account_id, exercise=exercise, source=source)
        row.changed_at, before = moment, None
    else:
        before = row.changed_at if row.changed_at != seen else None
        row.source, row.changed_at = source, moment
    member.session.add(row)
    member.session.flush()
    return Draft(source, moment, before)


def _row(session: Session, course_id: int, account_id: int, exercise: str) -> DraftRow | None:
    return session.exec(
        select(DraftRow).where(
            DraftRow.course_id == course_id, DraftRow.account_id == account_id, DraftRow.exercise == exercise
        )
    ).first()
