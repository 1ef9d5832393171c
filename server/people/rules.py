"""What staff may do to whom.

1. Only admins touch admins.
2. Nobody changes their own role, and a course always has an instructor.
3. Staff of a course get no key to an account that is also used elsewhere, nor to that of somebody who is, or was, a
   fellow instructor: else to demote them first would open it. An admin and the operator do.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlmodel import Session, col, select

from server.audit.log import Entry
from server.courses.access import Actor
from server.courses.seats import LastInstructor, has_other_instructor
from server.database import dialect
from server.http.problems import Forbidden
from server.tables import AccountRow, AuditRow, CourseRow, Role, SeatRow


def entry(
    course: CourseRow, actor: Actor, act: str, subject_id: int | None = None, *, reason: str | None = None, **more: Any
) -> Entry:
    """Return an entry of the audit log. Of ``reason``, what nobody sees is left out; PostgreSQL keeps no NUL."""
    seen = " ".join("".join(letter if letter.isprintable() else " " for letter in reason or "").split())
    return Entry(course.id, actor.account_id, act, subject_id, reason=seen or None, **more)


def require_may_touch(actor: Actor, account: AccountRow) -> None:
    """Do nothing if the actor may change this person in their course.

    :raises Forbidden: it is an admin
    """
    if account.is_admin and not actor.is_admin:
        raise Forbidden(f"{account.name} is an admin, so only an admin may do this. Ask one.")


def require_may_open(session: Session, course: CourseRow, actor: Actor, account: AccountRow, role: Role | None) -> None:
    """Do nothing if the actor may get a key to this account, to pass it on.

    :param role: the role in the course; None if nobody ever signed in, so that there is nothing to protect
    :raises Forbidden: it is used elsewhere too, or is an instructor's or an admin's
    """
    require_may_touch(actor, account)
    if actor.is_admin:
        return
    if role is Role.INSTRUCTOR or (role is not None and was_instructor(session, course, account.id)):
        raise Forbidden(f"{account.name} is or was an instructor, so only an admin gives them a key. Ask one.")
    if is_used_elsewhere(session, course, account.id):
        raise Forbidden(
            f"{account.name} uses this account in other courses too, so only an admin gives them a key. "
            "Where they are still signed in, they can type: dojo pair."
        )


def is_used_elsewhere(session: Session, course: CourseRow, account_id: int) -> bool:
    """Return whether an account has, or had, a seat in another course."""
    elsewhere = select(SeatRow.course_id).where(SeatRow.account_id == account_id, SeatRow.course_id != course.id)
    return session.exec(elsewhere.limit(1)).first() is not None


def was_instructor(session: Session, course: CourseRow, account_id: int) -> bool:
    """Return whether somebody lost the role of an instructor of a course, as the audit log says."""
    changes = select(AuditRow.before).where(
        AuditRow.course_id == course.id, AuditRow.subject_id == account_id, AuditRow.act == "people.change"
    )
    return any((before or {}).get("role") == Role.INSTRUCTOR for before in session.exec(changes))


def check_change(
    session: Session,
    course: CourseRow,
    actor: Actor,
    account: AccountRow,
    seat: SeatRow,
    fields: Collection[str],
) -> None:
    """Do nothing if the actor may change these fields of somebody.

    :raises Forbidden: they may not
    :raises LastInstructor: the course would be without an instructor
    """
    require_may_touch(actor, account)
    if "role" in fields:
        require_not_own_role(actor, account)
    if "role" in fields and seat.role is Role.INSTRUCTOR:
        require_other_instructor(session, course, account.id)
    if "name" in fields and not actor.is_admin and is_used_elsewhere(session, course, account.id):
        raise Forbidden(f"{account.name} uses this account in other courses too, so only an admin renames it. Ask one.")


def require_not_own_role(actor: Actor, account: AccountRow) -> None:
    """Do nothing if the account is not the actor's, or the actor is an admin.

    :raises Forbidden: the actor would change their own role
    """
    if account.id == actor.account_id and not actor.is_admin:
        raise Forbidden("You cannot change your own role. Ask another instructor or an admin.")


def require_other_instructor(session: Session, course: CourseRow, account_id: int) -> None:
    """Do nothing if a course has an instructor besides this account.

    :raises LastInstructor: it has none
    """
    dialect.lock_row(session, col(CourseRow.id), course.id)  # of two who remove each other, one is refused
    if not has_other_instructor(session, course, account_id):
        raise LastInstructor("This is the last instructor of the course. Make somebody else an instructor first.")
