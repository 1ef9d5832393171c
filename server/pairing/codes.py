"""Pairing codes: made for an account, used once, within ten minutes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete
from sqlmodel import Session, col, select

from server.accounts import accounts, tokens
from server.accounts.accounts import lock_account
from server.database.table import now
from server.http.problems import NotFound
from server.tables import AccountRow, PairingCodeRow

LIFETIME = timedelta(minutes=10)
CLOCKS_DIFFER = timedelta(seconds=10)  # of machines that share a database, at most


class UnknownPairingCode(NotFound):
    """No account waits for this code. The caller cannot tell which of the reasons it is, by design."""

    title, slug = "Unknown pairing code", "unknown-pairing-code"


@dataclass(frozen=True)
class PairingCode:
    """A code that is known at this moment only."""

    code: str
    expires_at: datetime


def new_code(session: Session, account_id: int) -> PairingCode:
    """Make a pairing code for an account. It replaces the one before."""
    lock_account(session, account_id)
    session.connection().execute(delete(PairingCodeRow).where(col(PairingCodeRow.account_id) == account_id))
    pairing_code = PairingCode(tokens.new_typed_code(), now() + LIFETIME)
    digest = tokens.digest(pairing_code.code)
    session.add(PairingCodeRow(account_id=account_id, digest=digest, expires_at=pairing_code.expires_at))
    return pairing_code


def end_of(session: Session, account_id: int, code: str) -> datetime | None:
    """Return when a code of an account ends. None if it is not the account's, was used or replaced, or has ended."""
    return session.exec(
        select(PairingCodeRow.expires_at).where(
            PairingCodeRow.account_id == account_id,
            PairingCodeRow.digest == tokens.digest(code),
            col(PairingCodeRow.expires_at) > now(),
        )
    ).first()


def use_code(session: Session, typed: str) -> tuple[AccountRow, str]:
    """Return the account of a code, and a new token for it. The code is gone then.

    :raises UnknownPairingCode: the code is mistyped, used, replaced, or older than ten minutes
    """
    # One statement, so that of two requests with the same code only one finds it.
    # One that lives for longer than a code does was made before the clock was put back: nobody knows how old it is.
    moment = now()
    taken = delete(PairingCodeRow).where(
        col(PairingCodeRow.digest) == tokens.digest(tokens.normalise_typed_code(typed)),
        col(PairingCodeRow.expires_at) > moment,
        col(PairingCodeRow.expires_at) <= moment + LIFETIME + CLOCKS_DIFFER,
    )
    account_id = session.connection().execute(taken.returning(col(PairingCodeRow.account_id))).scalar()
    if account_id is None:
        raise UnknownPairingCode(
            "This code is mistyped, was used, or is older than ten minutes. "
            "Make a new one where you are signed in: in your account there, or with dojo pair."
        )
    return session.get_one(AccountRow, account_id), accounts.issue_token(session, account_id)
