"""The schema: migrations there and back, on both databases, by servers that start together."""

from __future__ import annotations

import stat
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from alembic.util import CommandError
from procrastinate.schema import SchemaManager
from sqlalchemy import inspect
from sqlmodel import select

from exercises.registry import drills, exercises
from server.database import migrate
from server.database.engine import Database, make_engine
from server.database.table import Table
from server.queue.timing import Timing
from server.services import ServerServices
from server.settings import Settings
from server.tables import AccountRow, CourseRow, ExerciseRevisionRow, TokenRow
from tests.support.servers import PATIENCE_SECONDS, FakeSandbox, eventually


def tables(url: str) -> set[str]:
    """The names of the tables that are ours."""
    engine = make_engine(url)
    try:
        found = inspect(engine).get_table_names()
        return {name for name in found if not name.startswith("procrastinate_")}
    finally:
        engine.dispose()


def test_migrations_make_what_the_models_describe_and_unmake_it(url: str) -> None:
    migrate.upgrade(url)
    assert tables(url) == set(Table.metadata.tables) | {"alembic_version"}
    migrate.check(url)
    migrate.downgrade(url, "base")
    assert tables(url) == {"alembic_version"}
    migrate.upgrade(url)
    migrate.check(url)


def test_a_file_and_its_log_are_for_their_owner_alone(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'dojo.db'}"
    migrate.upgrade(url)
    with make_engine(url).connect() as connection:
        connection.exec_driver_sql("SELECT * FROM account")
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}

    assert modes == dict.fromkeys(["dojo.db", "dojo.db-wal", "dojo.db-shm"], 0o600)


def test_a_difference_between_models_and_migrations_is_found(url: str) -> None:
    migrate.upgrade(url)
    with make_engine(url).begin() as connection:
        connection.exec_driver_sql("ALTER TABLE account ADD COLUMN nickname TEXT")
    with pytest.raises(CommandError, match="nickname"):
        migrate.check(url)


def test_servers_that_start_together_take_turns(url: str) -> None:
    failures: list[BaseException] = []

    def start() -> None:
        try:
            migrate.upgrade(url)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=start, daemon=True) for _ in range(4)]
    for thread in threads:
        thread.start()
    assert eventually(lambda: not any(thread.is_alive() for thread in threads), 3 * PATIENCE_SECONDS)
    assert failures == []
    migrate.check(url)


def test_it_is_cached_whether_the_database_is_current(url: str) -> None:
    migrate.upgrade(url)
    database = Database(url)
    with database.reading() as session:
        assert migrate.is_current(session)
    database.close()
    migrate.downgrade(url, "base")
    with database.reading() as session:
        assert not migrate.is_current(session)
    database.close()


def test_the_log_says_from_which_revision_to_which(url: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "server.database.migrate")
    migrate.upgrade(url, "0014")
    migrate.upgrade(url)
    migrate.upgrade(url)

    said = [each.getMessage() for each in caplog.records if each.name == migrate.__name__]
    assert len(said) == 1
    assert said[0].startswith("The database had revision 0014 and has ")


def test_a_database_of_a_newer_server_is_not_current(url: str) -> None:
    migrate.upgrade(url)
    database = Database(url)
    with database.writing() as session:
        session.connection().exec_driver_sql("INSERT INTO alembic_version (version_num) VALUES ('9999')")

    with database.reading() as session:
        assert not migrate.is_current(session)
    database.close()


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_a_migration_that_breaks_references_is_rolled_back(url: str) -> None:
    migrate.upgrade(url)
    database = Database(url)
    with database.writing() as session:
        session.add(AccountRow(name="Ada"))
        session.flush()
        session.add(TokenRow(account_id=1, digest="x"))
    with pytest.raises(migrate.BrokenReferences, match="token"), migrate.migrating(url) as connection:
        connection.exec_driver_sql("DELETE FROM account")
    with database.reading() as session:
        assert session.get(AccountRow, 1) is not None


def test_times_are_aware_and_in_utc(url: str) -> None:
    migrate.upgrade(url)
    database = Database(url)
    with database.writing() as session:
        session.add(CourseRow(slug="a", title="A"))
    with database.reading() as session:
        moment = session.get_one(CourseRow, 1).created_at
    database.close()
    assert moment.utcoffset() == timedelta(0)


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
def test_the_tables_of_procrastinate_are_those_of_its_installed_version(url: str) -> None:
    """Where this fails after an update of the library, it needs a migration here: see 0003."""
    migrate.upgrade(url)
    files = Path(SchemaManager.get_migrations_path()).glob("*.sql")
    with make_engine(url).connect() as connection:
        noted = connection.exec_driver_sql("SELECT obj_description('procrastinate_jobs'::regclass)").scalar()
    assert noted == max(file.name for file in files) == "03.04.00_50_post_add_retry_failed_job_procedure.sql"


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
def test_servers_that_start_together_note_the_same_exercises(
    url: str, settings: Settings, fake_sandbox: FakeSandbox
) -> None:
    migrate.upgrade(url)
    database = Database(url)
    services = ServerServices.build(settings, fake_sandbox.code_runner(), Timing())
    with ThreadPoolExecutor() as pool:
        with database.writing() as session:  # another server, which has not committed yet
            session.add_all(
                ExerciseRevisionRow(slug=each.slug, revision=each.revision) for each in exercises().values()
            )
            session.flush()
            prepared = pool.submit(services.prepare_database)
            with pytest.raises(TimeoutError):
                prepared.result(1)
        prepared.result(PATIENCE_SECONDS)
    with database.reading() as session:
        assert len(session.exec(select(ExerciseRevisionRow)).all()) == len(exercises()) + len(drills())
    services.database.close()
    database.close()
