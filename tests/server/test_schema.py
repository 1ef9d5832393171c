"""The schema: migrations there and back, on both databases, by servers that start together."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from alembic.util import CommandError
from procrastinate.schema import SchemaManager
from sqlalchemy import inspect
from sqlmodel import col, select

from exercises.catalog import CATALOG
from server import schema
from server.db import Database, make_engine
from server.models import (
    Course,
    Enrolment,
    ExerciseRevision,
    Grade,
    Progress,
    Student,
    Table,
    Ticket,
    TicketState,
    Token,
)
from server.services import Services
from server.settings import Settings
from server.timing import Timing
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


FIRST_ROWS = """
INSERT INTO course (id, slug, title, join_code, created_at) VALUES (1, 'a', 'A', 'A', '2026-01-01 00:00:00');
INSERT INTO exercise_revision (slug, revision, created_at) VALUES ('e', 1, '2026-01-01 00:00:00');
INSERT INTO student (id, name, created_at) VALUES
    (1, 'Ada', '2026-01-01 00:00:00'), (2, 'Ben', '2026-01-01 00:00:00');
INSERT INTO enrolment (course_id, student_id, role, created_at) VALUES
    (1, 1, 'student', '2026-01-01 00:00:00'), (1, 2, 'student', '2026-01-01 00:00:00');
INSERT INTO instance (id, student_id, exercise, revision, kind, dataset, digest, state, created_at)
    VALUES (1, 1, 'e', 1, 'hidden', 'names', 'x', 'x', '2026-01-01 00:00:00');
INSERT INTO submission (id, course_id, student_id, exercise, revision, attempt, kind, body, digest, created_at) VALUES
    (1, 1, 2, 'e', 1, 1, 'code', 'x', 'x', '2026-01-01 00:00:00'),
    (2, 1, 1, 'e', 1, 1, 'code', 'x', 'x', '2026-01-01 00:00:00'),
    (3, 1, 1, 'e', 1, 2, 'code', 'x', 'x', '2026-01-01 00:00:00');
INSERT INTO ticket (id, submission_id, state, tries, due_at, queued_at) VALUES
    (1, 1, 'queued', 0, '2026-01-01 00:00:00', '2026-01-01 00:00:00'),
    (2, 2, 'running', 2, '2026-01-01 00:00:00', '2026-01-01 00:00:00');
INSERT INTO grade (id, submission_id, instance_id, revision, environment, flags, passed, exact, total, seconds,
    graded_at) VALUES
    (1, 3, 1, 1, 'x', '[]', 1, 1, 4, 0.1, '2026-01-01 00:00:00'),
    (2, 3, 1, 1, 'y', '[]', 4, 4, 4, 0.1, '2026-01-01 00:00:00');
INSERT INTO comparison (grade_id, position, name, verdict, exact, approximate, origin, diagnosis, notes) VALUES
    (1, 0, 'a', 'exact', true, true, NULL, '[]', '[]'),
    (1, 1, 'b', 'wrong', false, false, 'own', '[]', '[]'),
    (1, 2, 'c', 'wrong', false, false, 'inherited', '[]', '[]'),
    (1, 3, 'd', 'wrong', false, false, 'inherited', '[]', '[]');
"""


@pytest.fixture
def old(url: str) -> Iterator[Database]:
    """A database of the first migration, with two tickets and two grades."""
    schema.upgrade(url, "0001")
    database = Database(url)
    with database.writing() as session:
        for statement in FIRST_ROWS.split(";"):
            if statement.strip():
                session.connection().exec_driver_sql(statement)
    yield database
    database.close()


def test_tickets_of_the_first_migration_get_their_student(old: Database, url: str) -> None:
    old.close()

    schema.upgrade(url)

    with old.reading() as session:
        tickets = session.exec(select(Ticket).order_by(col(Ticket.id))).all()
    assert [(each.submission_id, each.student_id, each.rank) for each in tickets] == [(1, 2, 0), (2, 1, 0)]
    assert [(each.state, each.tries) for each in tickets] == [(TicketState.QUEUED, 0), (TicketState.RUNNING, 2)]


def test_old_grades_get_their_count_of_inherited_rows(old: Database, url: str) -> None:
    old.close()

    schema.upgrade(url)

    with old.reading() as session:
        grades = session.exec(select(Grade).order_by(col(Grade.id))).all()
        course = session.get_one(Course, 1)
    assert [each.inherited for each in grades] == [2, 0]
    assert (course.hint_levels, course.hints_after, course.inherited_share) == (3, 0, 0)


def test_rows_survive_the_way_back(old: Database, url: str) -> None:
    old.close()
    schema.upgrade(url)

    schema.downgrade(url, "0001")

    with old.reading() as session:
        asked = session.connection().exec_driver_sql
        assert asked("SELECT id, submission_id, state, tries FROM ticket ORDER BY id").all() == [
            (1, 1, "queued", 0),
            (2, 2, "running", 2),
        ]
        assert asked("SELECT count(*) FROM comparison").scalar_one() == 4


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

    threads = [threading.Thread(target=start, daemon=True) for _ in range(4)]
    for thread in threads:
        thread.start()
    assert eventually(lambda: not any(thread.is_alive() for thread in threads), 60)
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


def test_a_database_of_a_newer_server_is_not_current(url: str) -> None:
    schema.upgrade(url)
    database = Database(url)
    with database.writing() as session:
        session.connection().exec_driver_sql("INSERT INTO alembic_version (version_num) VALUES ('9999')")

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
    services = Services.build(settings, straw.workshop(), Timing())
    with ThreadPoolExecutor() as pool:
        with database.writing() as session:  # another server, which has not committed yet
            session.add_all(ExerciseRevision(slug=each.slug, revision=each.revision) for each in CATALOG.values())
            session.flush()
            prepared = pool.submit(services.prepare)
            with pytest.raises(TimeoutError):
                prepared.result(1)
        prepared.result(20)
    with database.reading() as session:
        assert len(session.exec(select(ExerciseRevision)).all()) == len(CATALOG)
    services.database.close()
    database.close()
