"""Outages: told from wrong statements, and one line in the log."""

from __future__ import annotations

import logging
from pathlib import Path

import psycopg
import pytest
from psycopg import errors
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlmodel import select

from server.database import migrate, outage
from server.database.engine import Database
from server.database.outage import DatabaseUnavailable, Repetitions, reason_of
from server.tables import AccountRow
from tests.support.full_disk import full_disk


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (errors.DiskFull(), outage.FULL),
        (errors.AdminShutdown(), outage.AWAY),
        (errors.CannotConnectNow(), outage.AWAY),
        (errors.CrashShutdown(), outage.AWAY),
        (errors.ConnectionFailure(), outage.AWAY),
        (errors.TooManyConnections(), outage.BUSY),
        (errors.ReadOnlySqlTransaction(), outage.READ_ONLY),
        (errors.InsufficientPrivilege(), outage.READ_ONLY),
        (errors.InvalidPassword(), outage.REFUSED),
        (errors.InvalidCatalogName(), outage.ABSENT),
        (errors.IoError(), outage.DISK),
        (psycopg.OperationalError("connection failed: Connection refused"), outage.AWAY),
        (psycopg.OperationalError('FATAL:  password authentication failed for user "dojo"'), outage.REFUSED),
        (psycopg.OperationalError('FATAL:  database "dojo" does not exist'), outage.ABSENT),
        (psycopg.InterfaceError("the connection is closed"), outage.AWAY),
        (errors.UniqueViolation(), None),
        (errors.UndefinedTable(), None),
        (errors.QueryCanceled(), None),
        (psycopg.ProgrammingError("wrong"), None),
    ],
    ids=lambda each: f"{type(each).__name__} {each}"[:50] if isinstance(each, Exception) else "",
)
def test_an_outage_is_told_from_a_wrong_statement(error: Exception, reason: str | None) -> None:
    assert reason_of(DBAPIError("SELECT 1", None, error)) == reason


def test_a_pool_without_connections_is_busy() -> None:
    assert reason_of(PoolTimeout()) == outage.BUSY


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_a_full_disk_is_an_outage_and_one_line(database: Database, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO), full_disk(database):
        for _ in range(5):
            with pytest.raises(DatabaseUnavailable, match="its disk is full"), database.writing() as session:
                session.add(AccountRow(name="x" * 20_000))
        with database.reading() as session:
            assert session.exec(select(AccountRow)).all() == []
    with database.writing() as session:
        session.add(AccountRow(name="x" * 20_000))

    assert [record.message for record in caplog.records] == [
        "The database cannot be used: its disk is full; make room: a server goes on then, a command is typed again.",
    ]


def test_an_outage_is_over_when_nothing_failed_for_a_while(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        for quiet_seconds in (60.0, 0.0):
            outages = outage.Outage(quiet_seconds)
            outages.end()
            outages.begin(outage.FULL)
            outages.end()
            outages.begin(outage.FULL)

    began, over = f"The database cannot be used: {outage.FULL}.", "The database can be used again."
    assert [record.message for record in caplog.records] == [began, began, over, began]


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_a_wrong_statement_is_none(database: Database) -> None:
    with pytest.raises(OperationalError, match="no such table"), database.writing() as session:
        session.connection().exec_driver_sql("DELETE FROM absent")


@pytest.mark.parametrize(
    ("content", "reason"), [(b"no database at all, but long enough" * 100, outage.DAMAGED), (None, outage.READ_ONLY)]
)
def test_a_file_that_is_no_database_is_said_so(tmp_path: Path, content: bytes | None, reason: str) -> None:
    path = tmp_path / "dojo.db"
    path.mkdir() if content is None else path.write_bytes(content)

    with pytest.raises(DatabaseUnavailable) as error:
        migrate.upgrade(f"sqlite:///{path}")

    assert str(error.value) == reason


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_a_database_of_a_newer_server_is_refused_in_words(database: Database, url: str) -> None:
    with database.writing() as session:
        session.connection().exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")

    with pytest.raises(migrate.NewerDatabase, match=r"revision 9999, .* Start the newer server, or restore a backup\."):
        migrate.upgrade(url)


def test_the_same_is_said_again_after_a_while() -> None:
    patient, impatient = Repetitions(60.0), Repetitions(0.0)

    assert [patient.is_news("a") for _ in range(3)] == [True, False, False]
    assert patient.is_news("b")
    assert patient.end() and not patient.end()
    assert patient.is_news("b")
    assert [impatient.is_news("a") for _ in range(3)] == [True, True, True]
