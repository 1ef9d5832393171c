"""Accounts: made with a name that fits into a list, opened by tokens."""

from __future__ import annotations

import unicodedata

from sqlalchemy import delete
from sqlmodel import Session, col, select

from server.accounts import tokens
from server.database import dialect
from server.database.table import now
from server.http.problems import Unprocessable
from server.tables import AccountRow, PairingCodeRow, TokenRow

NAME_LENGTH_MAX = 100
# ZERO WIDTH NON-JOINER and JOINER are invisible, and part of names in Persian and Indian scripts.
INVISIBLE_IN_NAMES = "\u200c\u200d"


class BadName(Unprocessable):
    """A name that cannot be shown in a list."""

    title, slug = "Not a name", "bad-name"


def open_account(session: Session, name: str) -> AccountRow:
    """Make an account.

    :raises BadName: the name is empty, too long, or holds invisible characters
    """
    account = AccountRow(name=clean_name(name))
    session.add(account)
    session.flush()
    return account


def issue_token(session: Session, account_id: int) -> str:
    """Make a further token for an account, and return it: it is never to be seen again."""
    token = tokens.new_token()
    session.add(TokenRow(account_id=account_id, digest=tokens.digest(token)))
    session.flush()
    return token


def revoke_tokens(session: Session, account_id: int) -> int:
    """Revoke every token of an account, and return how many were valid. A pairing code that waits goes too."""
    session.connection().execute(delete(PairingCodeRow).where(col(PairingCodeRow.account_id) == account_id))
    valid = session.exec(
        select(TokenRow).where(TokenRow.account_id == account_id, col(TokenRow.revoked_at).is_(None))
    ).all()
    for token in valid:
        token.revoked_at = now()
    return len(valid)


def lock_account(session: Session, account_id: int) -> None:
    """Let no other transaction that locks this account go on until this one ends.

    :raises NoResultFound: there is no such account
    """
    dialect.lock_row(session, col(AccountRow.id), account_id)


def clean_name(name: str) -> str:
    """Return a name in one line, composed (NFC).

    :raises BadName: it is empty, too long, or holds characters that are invisible or change their neighbours
    """
    name = " ".join(unicodedata.normalize("NFC", name).split())
    if not 1 <= len(name) <= NAME_LENGTH_MAX:
        raise BadName(f"A name has 1 to {NAME_LENGTH_MAX} characters. Send the name that your instructor knows.")
    if any(unicodedata.category(letter).startswith("C") and letter not in INVISIBLE_IN_NAMES for letter in name):
        raise BadName("The name holds control characters or other invisible ones. Send it without them.")
    return name
