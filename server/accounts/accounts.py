"""Accounts: made with a name that fits into a list, opened by tokens."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete
from sqlmodel import Session, col, func, select

from server.accounts import tokens
from server.accounts.names import clean_name, searchable
from server.database import dialect
from server.database.table import now
from server.tables import AccountRow, InvitationRow, PairingCodeRow, TokenRow

log = logging.getLogger(__name__)


def open_account(session: Session, name: str) -> AccountRow:
    """Make an account.

    :raises BadName: the name is empty, too long, or holds invisible characters
    """
    account = AccountRow(name=clean_name(name))
    session.add(account)
    session.flush()
    return account


def issue_token(
    session: Session, account_id: int, *, device: str | None = None, expires_at: datetime | None = None
) -> str:
    """Make a further token for an account, and return it: it is never to be seen again."""
    token = tokens.new_token()
    session.add(TokenRow(account_id=account_id, digest=tokens.digest(token), device=device, expires_at=expires_at))
    session.flush()
    return token


def revoke_tokens(session: Session, account_id: int) -> int:
    """Revoke every token of an account, and return how many were valid.

    A pairing code and an invitation that wait go too.
    """
    for waiting in (PairingCodeRow, InvitationRow):
        session.connection().execute(delete(waiting).where(col(waiting.account_id) == account_id))
    valid = session.exec(
        select(TokenRow).where(TokenRow.account_id == account_id, col(TokenRow.revoked_at).is_(None))
    ).all()
    for token in valid:
        token.revoked_at = now()
    return len(valid)


def set_admin(session: Session, account: AccountRow, *, is_admin: bool) -> None:
    """Let an account act in every course, or no longer; its seats stay."""
    account.is_admin = is_admin
    session.add(account)
    log.info("Account %d is %s now.", account.id, "an admin" if is_admin else "no admin")


def search_accounts(session: Session, part: str, limit: int) -> tuple[list[AccountRow], int]:
    """Return the first accounts by name whose name holds a part, or that have this number; and how many there are.

    Erased and merged ones are left out. The search is made here: SQLite knows small letters of English only.
    """
    in_use = select(AccountRow).where(col(AccountRow.erased_at).is_(None), col(AccountRow.merged_into_id).is_(None))
    number = part.removeprefix("#")
    found = [
        account
        for account in session.exec(in_use)
        if searchable(part) in searchable(account.name) or number == str(account.id)
    ]
    return sorted(found, key=lambda account: (searchable(account.name), account.id))[:limit], len(found)


def count_tokens(session: Session, account_ids: Sequence[int]) -> dict[int, int]:
    """Return how many keys open each account that has any, at this moment."""
    valid = (
        select(TokenRow.account_id, func.count())
        .where(
            col(TokenRow.account_id).in_(account_ids),
            col(TokenRow.revoked_at).is_(None),
            col(TokenRow.expires_at).is_(None) | (col(TokenRow.expires_at) > now()),
        )
        .group_by(col(TokenRow.account_id))
    )
    return dict(session.exec(valid).all())


def renew_keys(session: Session, account: AccountRow) -> str:
    """Revoke every key of an account, and return a new token: nobody else holds one then."""
    revoke_tokens(session, account.id)
    account.keys_given_at = None
    return issue_token(session, account.id)


def lock_account(session: Session, account_id: int) -> None:
    """Let no other transaction that locks this account go on until this one ends.

    :raises NoResultFound: there is no such account
    """
    dialect.lock_row(session, col(AccountRow.id), account_id)
