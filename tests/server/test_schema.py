"""The schema: migrations there and back, on both databases, by servers that start together."""

from __future__ import annotations

import contextlib
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from alembic.util import CommandError
from procrastinate.schema import SchemaManager
from sqlalchemy import inspect
from sqlmodel import select

from exercises.registry import exercises
from server import schema
from server.db import Database, make_engine
from server.models import Course, Enrolment, ExerciseRevision, Progress, Student, Table, Token
from server.services import Services
from server.settings import Settings
from tests.server.house import Straw, eventually


def tables(url: str) -> set[str]:
    """The names of the tables that are ours."""
    engine = make_engine(url)
    try:
        found = inspect(engine).get_table_names()
        return {name for name in found if not name.startswith("procrastinate_")}
    finally:
        engine.dispose()


def test_migrations_make_what_the_models_describe_and_unmake_it(url: str) -> None:
    schema.upgrade(url)
    assert tables(url) == set(Table.metadata.tables) | {"alembic_version"}
    schema.check(url)
    schema.downgrade(url, "base")
    assert tables(url) == {"alembic_version"}
    schema.upgrade(url)
    schema.check(url)


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_progress_keeps_its_rows_when_its_table_is_made_anew(url: str) -> None:
    schema.upgrade(url, "0004")
    database = Database(url)
    with database.writing() as session:
        session.add_all([Course(slug="a", title="A", join_code="A"), Student(name="Ada")])
        session.flush()
        session.add(Enrolment(course_id=1, student_id=1))
        session.flush()
        session.add(Progress(course_id=1, student_id=1, exercise="e", checkpoint="c", best="exact", attempts=3))
    database.close()
    schema.upgrade(url)
    with database.reading() as session:
        assert session.exec(select(Progress)).one().attempts == 3
        made = (
            session.connection().exec_driver_sql("SELECT sql FROM sqlite_master WHERE name = 'progress'").scalar_one()
        )
    database.close()
    assert made.rstrip().endswith("WITHOUT ROWID")


def test_a_difference_between_models_and_migrations_is_found(url: str) -> None:
    schema.upgrade(url)
    with make_engine(url).begin() as connection:
        connection.exec_driver_sql("ALTER TABLE student ADD COLUMN nickname TEXT")
    with pytest.raises(CommandError, match="nickname"):
        schema.check(url)


def test_servers_that_start_together_take_turns(url: str) -> None:
    failures: list[BaseException] = []

    def start() -> None:
        try:
            schema.upgrade(url)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    schema.check(url)


def test_it_is_known_whether_the_database_is_current(url: str) -> None:
    schema.upgrade(url)
    database = Database(url)
    with database.reading() as session:
        assert schema.is_current(session)
    database.close()
    schema.downgrade(url, "base")
    with database.reading() as session:
        assert not schema.is_current(session)
    database.close()


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_a_migration_that_breaks_references_is_rolled_back(url: str) -> None:
    schema.upgrade(url)
    database = Database(url)
    with database.writing() as session:
        session.add(Student(name="Ada"))
        session.flush()
        session.add(Token(student_id=1, digest="x"))
    with pytest.raises(schema.BrokenReferences, match="token"), schema.migrating(url) as connection:
        connection.exec_driver_sql("DELETE FROM student")
    with database.reading() as session:
        assert session.get(Student, 1) is not None


def test_times_are_aware_and_in_utc(url: str) -> None:
    schema.upgrade(url)
    database = Database(url)
    with database.writing() as session:
        session.add(Course(slug="a", title="A", join_code="A"))
    with database.reading() as session:
        moment = session.get_one(Course, 1).created_at
    database.close()
    assert moment.utcoffset() == timedelta(0)


def test_what_is_not_finished_is_not_there(url: str) -> None:
    schema.upgrade(url)
    database = Database(url)
    with contextlib.suppress(RuntimeError), database.writing() as session:
        session.add(Student(name="Ada"))
        session.flush()
        raise RuntimeError
    with database.reading() as session:
        assert session.get(Student, 1) is None
    database.close()


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_what_is_acknowledged_is_on_the_disk(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    schema.upgrade(url)
    database = Database(url)
    synced: list[str] = []
    monkeypatch.setattr(os, "fdatasync", lambda file: synced.append(Path(f"/proc/self/fd/{file}").readlink().name))
    for durable in (True, False, True):
        with database.writing(durable=durable) as session:
            session.add(Student(name="Ada"))
            asked = session.connection().exec_driver_sql
            assert asked("PRAGMA synchronous").scalar() == 1  # NORMAL: SQLite itself syncs at checkpoints
            assert asked("PRAGMA journal_mode").scalar() == "wal"
            assert asked("PRAGMA foreign_keys").scalar() == 1
    assert synced == ["dojo.db-wal"] * 2
    database.close()


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_who_waits_for_the_disk_is_not_answered_and_holds_nobody_up(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    schema.upgrade(url)
    database = Database(url)
    slow = threading.Event()
    monkeypatch.setattr(os, "fdatasync", lambda file: slow.wait(20))

    def write() -> None:
        with database.writing() as session:
            session.add(Student(name="Ada"))

    def written() -> int:
        with database.reading() as session:
            return len(session.exec(select(Student)).all())

    with ThreadPoolExecutor(4) as pool:
        writers = [pool.submit(write) for _ in range(4)]
        try:
            assert eventually(lambda: written() == 4)
            assert not any(writer.done() for writer in writers)
        finally:
            slow.set()
        for writer in writers:
            writer.result(20)
    database.close()


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
def test_the_tables_of_procrastinate_are_those_of_its_installed_version(url: str) -> None:
    """Where this fails after an update of the library, it needs a migration here: see 0003."""
    schema.upgrade(url)
    files = Path(SchemaManager.get_migrations_path()).glob("*.sql")
    with make_engine(url).connect() as connection:
        noted = connection.exec_driver_sql("SELECT obj_description('procrastinate_jobs'::regclass)").scalar()
    assert noted == max(file.name for file in files) == "03.04.00_50_post_add_retry_failed_job_procedure.sql"


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
def test_servers_that_start_together_note_the_same_exercises(url: str, settings: Settings, straw: Straw) -> None:
    schema.upgrade(url)
    database = Database(url)
    services = Services.build(settings, straw.workshop())
    with ThreadPoolExecutor() as pool:
        with database.writing() as session:  # another server, which has not committed yet
            session.add_all(ExerciseRevision(slug=each.slug, revision=each.revision) for each in exercises().values())
            session.flush()
            prepared = pool.submit(services.prepare)
            with pytest.raises(TimeoutError):
                prepared.result(1)
        prepared.result(20)
    with database.reading() as session:
        assert len(session.exec(select(ExerciseRevision)).all()) == len(exercises())
    services.database.close()
    database.close()
