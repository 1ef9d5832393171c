"""A database of PostgreSQL serves many tests, one after the other: none finds anything of the one before."""

from __future__ import annotations

from collections import Counter

import psycopg
import pytest

from server.courses import courses
from server.database.engine import Database
from server.tables import Role
from tests.support.migrated import Migrated


@pytest.fixture(autouse=True)
def lent_as_often_as_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """However often the tests before had the same database."""
    monkeypatch.setattr("tests.support.migrated.USES", 10**9)


def write(url: str) -> int:
    """Write rows of several tables; return the id of one."""
    database = Database(url)
    with database.writing() as session:
        course = courses.open_course(session, "autumn", "Autumn")
        found = courses.enrol(session, course, "Ada", Role.STUDENT).account.id
    database.close()
    return found


def run(url: str, statement: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement)


def test_rows_are_gone_and_ids_begin_anew(migrated: Migrated, postgresql: str) -> None:
    with migrated.lend(postgresql) as first:
        begun = write(first)
    with migrated.lend(postgresql) as second:
        assert second == first
        assert write(second) == begun


def test_an_id_that_no_row_got_is_given_again(migrated: Migrated, postgresql: str) -> None:
    with migrated.lend(postgresql) as first:
        run(first, "SELECT nextval(pg_get_serial_sequence('account', 'id'))")
    with migrated.lend(postgresql) as second:
        assert second == first
        assert write(second) == 1


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE account ADD COLUMN nickname TEXT",
        "ALTER TABLE account ALTER COLUMN name DROP NOT NULL",
        "ALTER TABLE account ADD CHECK (id > 0)",
        "DROP TABLE comparison CASCADE",
        "CREATE TABLE further (id INTEGER)",
        "CREATE INDEX further ON account (name)",
        "CREATE FUNCTION further() RETURNS INTEGER LANGUAGE SQL AS 'SELECT 1'",
        "CREATE SCHEMA further",
        "UPDATE alembic_version SET version_num = '0001'",
    ],
)
def test_one_whose_schema_was_changed_is_lent_to_nobody(change: str, migrated: Migrated, postgresql: str) -> None:
    with migrated.lend(postgresql) as changed:
        run(changed, change)
    with migrated.lend(postgresql) as other:
        assert other != changed


def test_a_session_that_a_test_forgot_ends(migrated: Migrated, postgresql: str) -> None:
    with migrated.lend(postgresql) as first:
        forgotten = psycopg.connect(first)
        forgotten.execute("LOCK TABLE account")
    with migrated.lend(postgresql) as second:
        assert second == first
        with pytest.raises(psycopg.OperationalError, match="terminat"):
            forgotten.execute("SELECT 1")
    forgotten.close()


def test_two_at_a_time_are_two(migrated: Migrated, postgresql: str) -> None:
    with migrated.lend(postgresql) as first, migrated.lend(postgresql) as second:
        assert first != second


def test_none_is_lent_for_ever(migrated: Migrated, postgresql: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.support.migrated.USES", 2)
    times: Counter[str] = Counter()
    for _ in range(8):  # enough for those that are there already
        with migrated.lend(postgresql) as url:
            times[url] += 1
    assert max(times.values()) == 2
