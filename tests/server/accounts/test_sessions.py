"""Sessions of browsers, and the keys of an account."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlmodel import Session, select

from server.accounts import accounts, sessions
from server.accounts.sessions import UnknownKey, UnknownToken
from server.accounts.tokens import digest
from server.database.engine import Database
from server.database.table import now
from server.tables import TokenRow


def row_of(session: Session, token: str) -> TokenRow:
    """Return the row of a token."""
    return session.exec(select(TokenRow).where(TokenRow.digest == digest(token))).one()


def test_keys_are_this_browsers_first_and_only_those_that_open(database: Database) -> None:
    with database.writing() as session:
        ada, bob = (accounts.open_account(session, name).id for name in ("Ada", "Bob"))
        program = accounts.issue_token(session, ada)
        here = sessions.begin(session, ada, "Firefox on Linux" * 20)
        accounts.issue_token(session, ada, expires_at=now() - timedelta(seconds=1))
        sessions.begin(session, bob, "Safari")
        gone = sessions.begin(session, ada, "Chrome")
        sessions.end(session, gone)

        keys = sessions.list_keys(session, ada, here)

    assert [(key.is_here, key.is_browser) for key in keys] == [(True, True), (False, False)]
    assert keys[1].id < keys[0].id and program
    assert len(keys[0].device or "") == sessions.DEVICE_LENGTH_MAX


def test_a_session_ends_by_itself_and_no_session_makes_another(database: Database) -> None:
    with database.writing() as session:
        ada = accounts.open_account(session, "Ada").id
        program = accounts.issue_token(session, ada)

        token = sessions.begin_with_token(session, program, "Firefox")

        end = row_of(session, token).expires_at
        assert end is not None and now() < end <= now() + sessions.LIFETIME
        assert row_of(session, program).expires_at is None
        for other in (token, "dojo_none"):
            with pytest.raises(UnknownToken):
                sessions.begin_with_token(session, other, "Firefox")


def test_ending_sessions_leaves_the_tokens_of_programs(database: Database) -> None:
    with database.writing() as session:
        ada = accounts.open_account(session, "Ada").id
        program = accounts.issue_token(session, ada)
        browsers = [sessions.begin(session, ada, "Firefox") for _ in range(2)]

        sessions.end(session, program)
        ended = sessions.end_all(session, ada)

        assert ended == 2
        assert row_of(session, program).revoked_at is None
        assert all(row_of(session, token).revoked_at for token in browsers)


def test_a_key_is_revoked_once_and_by_its_owner(database: Database) -> None:
    with database.writing() as session:
        ada, bob = (accounts.open_account(session, name).id for name in ("Ada", "Bob"))
        key = row_of(session, accounts.issue_token(session, ada)).id

        with pytest.raises(UnknownKey):
            sessions.revoke_key(session, bob, key)
        sessions.revoke_key(session, ada, key)
        with pytest.raises(UnknownKey):
            sessions.revoke_key(session, ada, key)
