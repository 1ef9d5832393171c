"""Keys that staff pass on: a new token, or a pairing code, for somebody who lost every token."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from server.accounts import accounts
from server.audit.log import record
from server.courses.access import Actor, require_active
from server.database.table import now
from server.pairing import codes
from server.people import rules
from server.people.people import Person, get_person
from server.tables import CourseRow


@dataclass(frozen=True)
class GivenToken:
    """A token that is known at this moment only, whose it is, and how many older ones were revoked."""

    person: Person
    token: str
    revoked: int


@dataclass(frozen=True)
class GivenCode:
    """A pairing code that is known at this moment only, whose it is, and how many tokens were revoked."""

    person: Person
    code: str
    expires_at: datetime
    revoked: int


def give_token(session: Session, course: CourseRow, actor: Actor, account_id: int, *, revoke_old: bool) -> GivenToken:
    """Make a token for somebody in a course.

    :raises NoSuchPerson: nobody here has this number
    :raises Forbidden: the actor gets no key to this account
    """
    person, revoked = _open(session, course, actor, account_id, revoke_old=revoke_old)
    record(session, rules.entry(course, actor, "people.token", account_id, after={"revoked": revoked}))
    return GivenToken(person, accounts.issue_token(session, account_id), revoked)


def give_pairing_code(
    session: Session, course: CourseRow, actor: Actor, account_id: int, *, revoke_old: bool
) -> GivenCode:
    """Make a pairing code for somebody in a course; raises what ``give_token`` does."""
    person, revoked = _open(session, course, actor, account_id, revoke_old=revoke_old)
    pairing_code = codes.new_code(session, account_id)
    record(session, rules.entry(course, actor, "people.pairing_code", account_id, after={"revoked": revoked}))
    return GivenCode(person, pairing_code.code, pairing_code.expires_at, revoked)


def _open(
    session: Session, course: CourseRow, actor: Actor, account_id: int, *, revoke_old: bool
) -> tuple[Person, int]:
    require_active(course)
    accounts.lock_account(session, get_person(session, course, account_id).account.id)
    person = get_person(session, course, account_id)
    rules.require_may_open(session, course, actor, person.account, person.seat.role)
    person.account.keys_given_at = now()
    session.flush()
    return person, accounts.revoke_tokens(session, account_id) if revoke_old else 0
