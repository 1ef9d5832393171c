"""Extensions: a later due time for a person or a section, granted and revoked with a reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, or_, select

from server.assignments import changes
from server.assignments.assignment import Extension, list_extensions
from server.assignments.impact import CourseRules, Impact, impact
from server.audit.log import Entry, record
from server.courses.access import Actor, lock_active
from server.courses.local_time import checked, utc_text
from server.database.table import now
from server.http.problems import Conflict, NotFound, Unprocessable
from server.http.text import clean_reason
from server.tables import AccountRow, CourseRow, ExtensionRow, SeatRow


class BadExtension(Unprocessable):
    """An extension that extends nothing, or nobody's due time."""

    title, slug = "Not an extension", "bad-extension"


class UnknownExtension(NotFound):
    """The course has no such extension, or the caller may not see it."""

    title, slug = "No such extension", "unknown-extension"


class AlreadyRevoked(Conflict):
    """The extension was revoked before."""

    title, slug = "Revoked already", "already-revoked"


@dataclass(frozen=True)
class Grant:
    """An extension to be granted, to an account or to a section."""

    exercise: str
    due_at: datetime
    reason: str
    account_id: int | None = None
    section: str | None = None

    @property
    def extension(self) -> Extension:
        """The extension, as points see it."""
        return Extension(self.exercise, self.account_id, self.section, self.due_at)


@dataclass(frozen=True)
class Recipient:
    """An extension with the name and section of its person; a section's has no name."""

    row: ExtensionRow
    name: str | None
    section: str | None


def plan_grant(session: Session, course: CourseRow, grant: Grant, actor: Actor) -> tuple[Grant, Impact]:
    """Return an extension as it would be kept, and what it does to points.

    :raises Archived: the course is archived
    :raises UnknownAssignment: the course has no such assignment
    :raises BadExtension: it extends nothing, or nobody's due time
    :raises Forbidden: the actor looks after another section
    """
    lock_active(session, course)
    assignment = changes.find(session, course, grant.exercise)
    grant = replace(grant, reason=clean_reason(grant.reason), due_at=checked(grant.due_at))
    actor.require_section(_section_of(session, course, grant))
    if assignment.due_at is None:
        raise BadExtension(f"{grant.exercise} has no due time, so there is nothing to extend. Set one first.")
    if grant.due_at <= assignment.due_at:
        raise BadExtension("An extension must end after the due time of the assignment. Choose a later time.")
    before = list_extensions(session, course)
    return grant, _impact(session, course, before, [*before, grant.extension])


def write_grant(session: Session, course: CourseRow, grant: Grant, actor: Actor) -> ExtensionRow:
    """Keep an extension that was planned in this transaction, and tell the audit log."""
    row = ExtensionRow(course_id=course.id, granted_by_id=actor.account_id, **vars(grant))
    session.add(row)
    session.flush()
    record(session, _entry(row, actor, "extension.grant", after=_values(row), reason=row.reason))
    return row


def plan_revocation(session: Session, course: CourseRow, id: int, actor: Actor) -> tuple[Recipient, Impact]:
    """Return an extension that is in force, and what revoking it does to points.

    :raises Archived: the course is archived
    :raises UnknownExtension: the course has no such extension, or the actor looks after another section
    :raises AlreadyRevoked: it was revoked before
    """
    lock_active(session, course)
    found = find(session, course, id, actor)
    row = found.row
    if row.revoked_at is not None:
        raise AlreadyRevoked(f"Extension {id} was revoked before. There is nothing more to do.")
    before = list_extensions(session, course)
    after = list(before)
    after.remove(Extension(row.exercise, row.account_id, row.section, row.due_at))
    return found, _impact(session, course, before, after)


def write_revocation(session: Session, row: ExtensionRow, actor: Actor, reason: str | None) -> None:
    """Revoke an extension that was planned in this transaction, and tell the audit log."""
    row.revoked_at = now()
    kept = clean_reason(reason) if reason else None
    record(session, _entry(row, actor, "extension.revoke", before=_values(row), reason=kept))
    session.flush()


def find(session: Session, course: CourseRow, id: int, actor: Actor) -> Recipient:
    """Return an extension.

    :raises UnknownExtension: the course has no such extension, or the actor looks after another section
    """
    for each in read_list(session, course, actor):
        if each.row.id == id:
            return each
    raise UnknownExtension(
        f"There is no extension {id}.", on_api=f"GET /api/v1/courses/{course.slug}/extensions lists them."
    )


def read_list(session: Session, course: CourseRow, actor: Actor, exercise: str | None = None) -> list[Recipient]:
    """Return the extensions of a course with their people, the revoked ones too, in the order in which they were given.

    Who looks after a section gets those of that section and of its people.
    """
    section = col(SeatRow.section)
    is_here = col(SeatRow.removed_at).is_(None) & col(AccountRow.erased_at).is_(None)
    rows = (
        select(ExtensionRow, AccountRow.name, SeatRow.section)
        .outerjoin(AccountRow, col(AccountRow.id) == ExtensionRow.account_id)
        .outerjoin(
            SeatRow, (col(SeatRow.course_id) == course.id) & (col(SeatRow.account_id) == ExtensionRow.account_id)
        )
        .where(ExtensionRow.course_id == course.id, is_here)  # both are NULL for a section
        .order_by(col(ExtensionRow.id))
    )
    if exercise is not None:
        rows = rows.where(ExtensionRow.exercise == exercise)
    if actor.section is not None:
        rows = rows.where(or_(section == actor.section, col(ExtensionRow.section) == actor.section))
    return [Recipient(row, name, row.section or section) for row, name, section in session.exec(rows)]


def _section_of(session: Session, course: CourseRow, grant: Grant) -> str | None:
    """Return the section that a recipient belongs to, or that it is.

    :raises BadExtension: there is no such person or section in the course, or not exactly one of the two is named
    """
    if (grant.account_id is None) == (grant.section is None):
        raise BadExtension("An extension is for one person or for one section. Name one of the two.")
    seats = select(SeatRow).where(SeatRow.course_id == course.id, col(SeatRow.removed_at).is_(None))
    if grant.account_id is not None:
        seat = session.exec(seats.where(SeatRow.account_id == grant.account_id)).first()
        if seat is None:
            raise BadExtension(f"Account {grant.account_id} has no seat in this course. Look it up in the roster.")
        return seat.section
    sections = sorted({seat.section for seat in session.exec(seats) if seat.section is not None})
    if grant.section not in sections:
        raise BadExtension(f"This course has no such section. Choose one of: {', '.join(sections) or '(it has none)'}.")
    return grant.section


def _impact(session: Session, course: CourseRow, before: Sequence[Extension], after: Sequence[Extension]) -> Impact:
    rows = changes.read(session, course)
    return impact(session, course, CourseRules.of(rows, course, before), CourseRules.of(rows, course, after))


def _values(row: ExtensionRow) -> dict[str, Any]:
    return {"extension": row.id, "due_at": utc_text(row.due_at)} | ({"section": row.section} if row.section else {})


def _entry(row: ExtensionRow, actor: Actor, act: str, **more: Any) -> Entry:
    """Return an entry of the audit log about an extension."""
    return Entry(row.course_id, actor.account_id, act, row.account_id, row.exercise, **more)
