"""The secret, recognised."""

from __future__ import annotations

import pytest
from sqlmodel import select

from server.database.engine import Database
from server.instances.secret import check_secret
from server.settings import SettingsError
from server.tables import InstallationRow

SECRET = b"0123456789abcdef" * 4


def test_the_first_secret_is_written_down_as_a_fingerprint(database: Database) -> None:
    check_secret(database, SECRET)
    check_secret(database, SECRET)

    with database.reading() as session:
        row = session.exec(select(InstallationRow)).one()
    assert len(row.value) == 32
    assert SECRET.decode() not in row.value


def test_another_secret_is_refused_in_words(database: Database) -> None:
    check_secret(database, SECRET)

    with pytest.raises(SettingsError, match="Put the old one back"):
        check_secret(database, SECRET[::-1])
