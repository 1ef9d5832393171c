"""Sessions of browsers: tokens that end. With the other tokens they are the keys of an account."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from server.accounts import tokens
from server.accounts.accounts import issue_token
from server.database.table import now
from server.http.problems import NotFound, Unauthorised
from server.tables import PairingCodeRow, TokenRow

LIFETIME: Final = timedelta(days=30)
DEVICE_LENGTH_MAX: Final = 100


class UnknownKey(NotFound):
    """The account has no such key, or it was revoked already."""

    title, slug = "No such key", "unknown-key"


class UnknownToken(Unauthorised):
    """What was typed opens no account."""


@dataclass(frozen=True)
class Key:
    """What opens an account on one device. ``expires_at`` is None for a token of a program: it does not end."""

    id: int
    device: str | None
    created_at: datetime
    expires_at: datetime | None
    is_here: bool

    @property
    def is_browser(self) -> bool:
        """Whether it is the session of a browser."""
        return self.expires_at is not None


def begin(session: Session, account_id: int, device: str) -> str:
    """Make a browser's session for an account, and return its token."""
    return issue_token(session, account_id, device=device[:DEVICE_LENGTH_MAX], expires_at=now() + LIFETIME)


def adopt(session: Session, token: str, device: str) -> None:
    """Make a browser's session of a token that was issued in this transaction."""
    row = session.exec(select(TokenRow).where(TokenRow.digest == tokens.digest(token))).one()
    row.device, row.expires_at = device[:DEVICE_LENGTH_MAX], now() + LIFETIME


def begin_with_token(session: Session, token: str, device: str) -> str:
    """Make a browser's session for the account of a program's token. That token stays what it is.

    :raises UnknownToken: the token is unknown or revoked, or is itself the session of a browser
    """
    row = session.exec(_valid().where(TokenRow.digest == tokens.digest(token), col(TokenRow.expires_at).is_(None)))
    found = row.first()
    if found is None:
        raise UnknownToken("This token is not valid here, or was revoked. Type: dojo pair, and use the code it shows.")
    return begin(session, found.account_id, device)


def list_keys(session: Session, account_id: int, token: str) -> list[Key]:
    """Return the keys of an account that open it now: this browser's first, then the newest.

    :param token: that of the browser that asks
    """
    here = tokens.digest(token)
    rows = session.exec(_valid().where(TokenRow.account_id == account_id).order_by(col(TokenRow.id).desc()))
    keys = [Key(row.id, row.device, row.created_at, row.expires_at, row.digest == here) for row in rows]
    return sorted(keys, key=lambda key: not key.is_here)


def revoke_key(session: Session, account_id: int, id: int) -> None:
    """Revoke one key of an account.

    :raises UnknownKey: the account has no such key
    """
    row = session.exec(_valid().where(TokenRow.account_id == account_id, TokenRow.id == id)).first()
    if row is None:
        raise UnknownKey("This device was signed out already. Load the page again to see the others.")
    row.revoked_at = now()


def end(session: Session, token: str) -> None:
    """End the session of a browser. Nothing happens if it has ended, or if the token is a program's."""
    is_session = col(TokenRow.expires_at).is_not(None)
    row = session.exec(_valid().where(TokenRow.digest == tokens.digest(token), is_session)).first()
    if row is not None:
        row.revoked_at = now()


def end_all(session: Session, account_id: int) -> int:
    """End the sessions of an account in all browsers, and its pairing code; return how many ended.

    Tokens of programs stay.
    """
    session.connection().execute(delete(PairingCodeRow).where(col(PairingCodeRow.account_id) == account_id))
    is_session = col(TokenRow.expires_at).is_not(None)
    rows = session.exec(_valid().where(TokenRow.account_id == account_id, is_session)).all()
    for row in rows:
        row.revoked_at = now()
    return len(rows)


def _valid() -> SelectOfScalar[TokenRow]:
    is_open = col(TokenRow.expires_at).is_(None) | (col(TokenRow.expires_at) > now())
    return select(TokenRow).where(col(TokenRow.revoked_at).is_(None), is_open)
