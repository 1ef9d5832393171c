"""Recognising tokens before a request is served."""

from __future__ import annotations

import pytest
from sqlalchemy import event

from server.accounts import accounts
from server.accounts.recognition import Recognition
from server.database.engine import Database

pytestmark = pytest.mark.parametrize("url", ["sqlite"], indirect=True)


def new_token(database: Database) -> tuple[int, str]:
    """A new account and its token."""
    with database.writing() as session:
        account = accounts.open_account(session, "Ada")
        return account.id, accounts.issue_token(session, account.id)


def test_a_valid_token_is_looked_up_once(database: Database) -> None:
    _, token = new_token(database)
    asked: list[str] = []
    event.listen(database.engine, "before_cursor_execute", lambda *arguments: asked.append(arguments[2]))
    recognition = Recognition(database)

    assert not recognition.remembers(token)
    assert recognition.is_valid(token)

    assert recognition.remembers(token)
    assert len([statement for statement in asked if "token" in statement]) == 1


def test_another_token_is_neither_valid_nor_remembered(database: Database) -> None:
    recognition = Recognition(database)

    assert not recognition.is_valid("dojo_x")
    assert not recognition.remembers("dojo_x")


def test_a_revoked_token_is_forgotten(database: Database) -> None:
    id, token = new_token(database)
    recognition = Recognition(database, remembered_seconds=0.0)
    assert recognition.is_valid(token)
    with database.writing() as session:
        accounts.revoke_tokens(session, id)

    assert not recognition.remembers(token)
    assert not recognition.is_valid(token)
