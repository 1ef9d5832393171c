"""Invitations: a personal link opens an account of a roster once, or gives its seat to the account that opens it."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy import delete
from sqlmodel import Session, col, select

from server.accounts import accounts, tokens
from server.audit.log import record
from server.courses.access import Actor, require_active
from server.courses.courses import RemovedFromCourse, check_name
from server.database.table import now
from server.http.problems import NotFound
from server.people import rules
from server.people.merge import lock_both, merge, require_unmerged
from server.people.people import Person, get_person
from server.tables import AccountRow, CourseRow, InvitationRow, Role, SeatRow

LIFETIME: Final = timedelta(days=60)
PREFIX: Final = "join_"
PATH: Final = "/join"


class UnknownInvitation(NotFound):
    """No account waits for this link. The caller cannot tell which of the reasons it is, by design."""

    title, slug = "Unknown invitation", "unknown-invitation"


@dataclass(frozen=True)
class Opened:
    """An account that a link opened, its courses' first, and a new token, or None if the older ones are still good."""

    account: AccountRow
    course: CourseRow
    token: str | None


def link(address: str, code: str) -> str:
    """Return the link of an invitation. The code stands behind ``#``, so that it is in no log of any server."""
    return f"{address.rstrip('/')}{PATH}#{code}"


def invite(session: Session, course: CourseRow, actor: Actor, person: Person) -> str:
    """Make a code that opens somebody's account once, and return it. It replaces an earlier one.

    :raises Forbidden: the actor gets no key to this account
    """
    rules.require_may_open(session, course, actor, person.account, invited_role(person))
    _withdraw(session, person.account.id)
    return invite_new(session, [person])[0]


def invite_new(session: Session, everybody: Sequence[Person]) -> list[str]:
    """Make a code for each of these people, whose accounts were made in this transaction."""
    codes = [PREFIX + secrets.token_urlsafe(24) for _ in everybody]
    for person, code in zip(everybody, codes, strict=True):
        digest, end = tokens.digest(code), now() + LIFETIME
        session.add(InvitationRow(account_id=person.account.id, digest=digest, expires_at=end))
        person.account.keys_given_at = now()
    session.flush()
    return codes


def invited_role(person: Person) -> Role | None:
    """Return the role that counts for an invitation: before anybody signed in, an account has nothing to protect."""
    return person.seat.role if person.has_signed_in else None


def invite_again(session: Session, course: CourseRow, actor: Actor, account_id: int) -> tuple[Person, str]:
    """Make a new link for somebody who is in the course.

    :raises NoSuchPerson: nobody here has this number
    :raises Forbidden: the actor gets no key to this account
    """
    require_active(course)
    person = get_person(session, course, account_id)
    code = invite(session, course, actor, person)
    record(session, rules.entry(course, actor, "people.invite", account_id))
    return person, code


def open_invitation(session: Session, code: str) -> Opened:
    """Open the account of a link, and make a token for it.

    :raises UnknownInvitation: the link is mistyped, was used, was replaced, or is too old
    :raises RemovedFromCourse: the seat was taken meanwhile
    :raises Archived: the course takes nobody in
    """
    account, course = _take(session, code)
    return Opened(account, course, accounts.issue_token(session, account.id))


def open_with_account(session: Session, code: str, account_id: int) -> Opened:
    """Give the seat of a link to an account that its owner is signed in with: the invited account is merged into it.

    :raises UnknownInvitation: the link is mistyped, was used, was replaced, or is too old
    :raises RemovedFromCourse: the seat was taken meanwhile, or the account was removed from the course
    :raises LooksLikeStaff: the account's name is read as that of somebody who teaches the course
    :raises Archived: the course takes nobody in
    """
    invited, course = _take(session, code)
    account = session.get_one(AccountRow, account_id)
    if invited.id == account.id:
        return Opened(account, course, None)
    lock_both(session, invited.id, account.id)
    seat = session.get(SeatRow, (course.id, account.id))
    if seat is not None and seat.removed_at is not None:
        raise RemovedFromCourse("You were removed from this course. Ask its instructor to put you back.")
    if session.get_one(SeatRow, (course.id, invited.id)).role is Role.STUDENT and seat is None:
        check_name(session, course, account.name)
    is_further = merge(session, invited, account)
    record(
        session,
        rules.entry(course, Actor(account.id), "people.merge", account.id, after={"merged_account": invited.id}),
    )
    token = accounts.renew_keys(session, account) if is_further and account.keys_given_at is not None else None
    return Opened(account, course, token)


def _take(session: Session, code: str) -> tuple[AccountRow, CourseRow]:
    # One statement, so that of two requests with the same code only one finds it.
    taken = delete(InvitationRow).where(
        col(InvitationRow.digest) == tokens.digest(code.strip()), col(InvitationRow.expires_at) > now()
    )
    account_id = session.connection().execute(taken.returning(col(InvitationRow.account_id))).scalar()
    if account_id is None:
        raise UnknownInvitation("This link is incomplete, was used, or is too old. Ask your instructor for a new one.")
    account = session.get_one(AccountRow, account_id)
    require_unmerged(account)
    if account.erased_at is not None:
        raise UnknownInvitation("This person was erased. Ask your instructor for a new link.")
    seats = session.exec(
        select(SeatRow).where(SeatRow.account_id == account_id, col(SeatRow.removed_at).is_(None))
    ).all()
    if not seats:
        raise RemovedFromCourse("You were removed from this course. Ask its instructor to put you back.")
    course = session.get_one(CourseRow, seats[0].course_id)
    require_active(course)
    return account, course


def _withdraw(session: Session, account_id: int) -> None:
    session.connection().execute(delete(InvitationRow).where(col(InvitationRow.account_id) == account_id))
