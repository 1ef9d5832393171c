"""Transactions on both databases: what is on the disk when a commit returns, and who holds up whom."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from sqlalchemy.exc import IntegrityError
from sqlmodel import insert, select

from server.database import migrate
from server.database.engine import Database
from server.database.outage import DatabaseUnavailable
from server.processes.shared_memory import SharedLock
from server.tables import AccountRow
from tests.support.servers import HOLD_SECONDS, PATIENCE_SECONDS, eventually


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    """An empty database with its tables."""
    migrate.upgrade(url)
    found = Database(url)
    yield found
    found.close()


def test_what_is_not_finished_is_not_there(database: Database) -> None:
    with contextlib.suppress(RuntimeError), database.writing() as session:
        session.add(AccountRow(name="Ada"))
        session.flush()
        raise RuntimeError

    with database.reading() as session:
        assert session.get(AccountRow, 1) is None


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
def test_postgresql_waits_for_the_disk_where_it_is_asked_to(database: Database) -> None:
    shown = []

    for durable in (True, False, True):  # one connection after the other is taken from the pool
        with database.writing(durable=durable) as session:
            shown.append(session.connection().exec_driver_sql("SHOW synchronous_commit").scalar_one())

    assert shown == ["on", "off", "on"]


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_sqlite_syncs_its_log_where_it_is_asked_to(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[str] = []
    monkeypatch.setattr(os, "fdatasync", lambda file: synced.append(Path(f"/proc/self/fd/{file}").readlink().name))

    for durable in (True, False, True):
        with database.writing(durable=durable) as session:
            session.add(AccountRow(name="Ada"))

    assert synced == ["dojo.db-wal"] * 2


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_sqlite_is_set_up_as_the_architecture_says(database: Database) -> None:
    for begin in (database.reading, database.writing):
        with begin() as session:
            asked = session.connection().exec_driver_sql

            assert asked("PRAGMA journal_mode").scalar_one() == "wal"
            assert asked("PRAGMA synchronous").scalar_one() == 1  # NORMAL: SQLite itself syncs at checkpoints alone
            assert asked("PRAGMA foreign_keys").scalar_one() == 1
            assert asked("PRAGMA busy_timeout").scalar_one() == 10_000


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_who_waits_for_the_disk_is_not_answered_and_holds_nobody_up(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = threading.Event()
    syncs: list[int] = []

    def sync(file: int) -> None:
        syncs.append(file)
        slow.wait(HOLD_SECONDS)

    monkeypatch.setattr(os, "fdatasync", sync)

    def write() -> None:
        with database.writing() as session:
            session.add(AccountRow(name="Ada"))

    def written() -> int:
        with database.reading() as session:
            return len(session.exec(select(AccountRow)).all())

    with ThreadPoolExecutor(8) as pool:
        writers = [pool.submit(write) for _ in range(8)]
        try:
            assert eventually(lambda: written() == 8)
            assert not any(writer.done() for writer in writers)
        finally:
            slow.set()
        for writer in writers:
            writer.result(PATIENCE_SECONDS)
    assert len(syncs) < 8  # one sync does for all who wait


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_a_reader_sees_one_state_while_others_write(database: Database) -> None:
    with database.reading() as session:
        before = session.exec(select(AccountRow)).all()
        with database.writing() as other:
            other.add(AccountRow(name="Ada"))
        after = session.exec(select(AccountRow)).all()

    assert (before, after) == ([], [])


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
def test_a_connection_that_broke_is_replaced(database: Database, url: str) -> None:
    with database.reading() as session:
        own = session.connection().exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
    with psycopg.connect(url, autocommit=True) as other:
        ended = other.execute("SELECT pg_terminate_backend(%s, 10000)", [own]).fetchone()
    assert ended == (True,)

    with database.reading() as session:
        assert session.exec(select(AccountRow)).all() == []


def test_no_error_shows_what_a_statement_was_given(database: Database) -> None:
    def write() -> None:
        with database.writing() as session:
            AccountRow(id=1, name="a secret").insert(session)
            session.connection().execute(insert(AccountRow), {"id": 1, "name": "a secret"})

    with pytest.raises(IntegrityError) as caught:
        write()

    assert "a secret" not in str(caught.value)


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_a_writer_holds_other_processes_off_before_it_writes(database: Database, tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "dojo.db", timeout=0, isolation_level=None)
    with database.writing() as session:
        session.exec(select(AccountRow)).all()

        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")

    other.execute("BEGIN IMMEDIATE")
    other.close()


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_a_log_that_went_into_the_database_is_synced_already(database: Database, tmp_path: Path) -> None:
    with database.writing() as session:
        session.add(AccountRow(name="Ada"))
        session.commit()
        database.close()  # the last connection moves the log into the database and removes it
        (tmp_path / "dojo.db-wal").unlink(missing_ok=True)

    with database.reading() as session:
        assert len(session.exec(select(AccountRow)).all()) == 1


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_a_turn_that_is_held_for_too_long_is_an_outage(database: Database, url: str) -> None:
    turn = SharedLock(seconds=0.0)
    waiting = Database(url, turn)
    refused = pytest.raises(DatabaseUnavailable, match="continue it if it was stopped, or end it")
    with turn, refused, waiting.writing():
        pass

    with waiting.writing() as session:
        session.add(AccountRow(name="Ada"))
    waiting.close()

    with database.reading() as session:
        assert len(session.exec(select(AccountRow)).all()) == 1
