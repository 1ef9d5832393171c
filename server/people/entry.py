"""Coming in: with a join code or a personal link, for a new account or for one's own."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from sqlmodel import Session

from server.accounts.tokens import TOKEN_PREFIX
from server.courses import courses
from server.courses.access import require_active
from server.courses.courses import Joined
from server.people import invitations
from server.people.invitations import Opened


class KeyKind(StrEnum):
    """What somebody typed to come in."""

    LINK = "link"
    TOKEN = "token"
    CODE = "code"


@dataclass(frozen=True)
class TypedKey:
    """What somebody typed or pasted, without the address around it."""

    kind: KeyKind
    secret: str

    @classmethod
    def read(cls, typed: str) -> TypedKey:
        """Tell a personal link, a token and a code from each other."""
        part = typed.rpartition("#")[2].rpartition("code=")[2].strip().strip("\"'")
        if part.startswith(invitations.PREFIX):
            return cls(KeyKind.LINK, part)
        return cls(KeyKind.TOKEN if part.startswith(TOKEN_PREFIX) else KeyKind.CODE, part)


def take_seat(session: Session, code: str, name: str, account_id: int | None) -> Joined:
    """Take a student's seat in the course of a join code: for an account, or for a new one of this name.

    It raises what ``courses.join`` and ``courses.join_with_account`` do.

    :raises Archived: the course takes nobody in
    """
    if account_id is None:
        member = courses.join(session, code, name)
        joined = Joined(member.account, member.course, member.token, member.has_namesake)
    else:
        joined = courses.join_with_account(session, code, account_id)
    require_active(joined.course)
    return joined


def open_link(session: Session, code: str, account_id: int | None) -> Opened:
    """Open the account of a personal link, or let an account take it over.

    It raises what ``invitations.open_invitation`` and ``invitations.open_with_account`` do.
    """
    if account_id is None:
        return invitations.open_invitation(session, code)
    return invitations.open_with_account(session, code, account_id)
