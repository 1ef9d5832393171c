"""Every earlier revision, with data in it, becomes today's, on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import pytest
from sqlalchemy import Connection, text
from sqlmodel import col, select

from server.database import migrate
from server.database.engine import Database
from server.tables import (
    AccountRow,
    ComparisonRow,
    CourseRow,
    GradeRow,
    InstanceRow,
    JoinCodeRow,
    ProgressRow,
    RegradeRow,
    Role,
    SeatRow,
    SubmissionRow,
    TicketRow,
    TicketState,
    TokenRow,
)
from tests.support.processes import PROJECT

MOMENT = "2026-09-01 12:00:00.000000"
# A row of each table, as revision 0001 has them.
ROWS_OF_0001 = f"""
    INSERT INTO course (id, slug, title, join_code, created_at)
        VALUES (1, 'autumn', 'Autumn', 'ABCDE-FGHJK', '{MOMENT}');
    INSERT INTO exercise_revision (slug, revision, created_at) VALUES ('a/b', 1, '{MOMENT}');
    INSERT INTO student (id, name, created_at) VALUES (1, 'Instructor', '{MOMENT}'), (2, 'Ada', '{MOMENT}');
    INSERT INTO enrolment (course_id, student_id, role, created_at)
        VALUES (1, 1, 'instructor', '{MOMENT}'), (1, 2, 'student', '{MOMENT}');
    INSERT INTO token (id, student_id, digest, created_at) VALUES (1, 2, 'd1', '{MOMENT}');
    INSERT INTO instance (id, student_id, exercise, revision, kind, dataset, digest, state, created_at)
        VALUES (1, 2, 'a/b', 1, 'student', 'names', 'd2', '', '{MOMENT}');
    INSERT INTO submission
        (id, course_id, student_id, exercise, revision, attempt, kind, body, digest, idempotency_key, created_at)
        VALUES (1, 1, 2, 'a/b', 1, 1, 'code', '', 'd3', 'key', '{MOMENT}'),
               (2, 1, 2, 'a/b', 1, 2, 'code', '', 'd4', NULL, '{MOMENT}');
    INSERT INTO grade
        (id, submission_id, instance_id, revision, environment, flags, passed, exact, total, seconds, graded_at)
        VALUES (1, 1, 1, 1, 'torch', '[]', 0, 0, 1, 0.1, '{MOMENT}');
    INSERT INTO comparison (grade_id, position, name, verdict, exact, approximate, origin, diagnosis, notes)
        VALUES (1, 0, 'c', 'wrong', false, false, 'inherited', '[]', '[]');
    INSERT INTO progress (course_id, student_id, exercise, checkpoint, best, attempts)
        VALUES (1, 2, 'a/b', 'c', 'wrong', 3)
"""
TICKET_OF_0001 = f"""
    INSERT INTO ticket (id, submission_id, state, tries, due_at, queued_at)
        VALUES (1, 2, 'queued', 1, '{MOMENT}', '{MOMENT}')
"""
TICKET_OF_0002 = f"""
    INSERT INTO ticket (id, submission_id, student_id, rank, state, tries, due_at, queued_at)
        VALUES (1, 2, 2, 77, 'queued', 1, '{MOMENT}', '{MOMENT}')
"""
REVISIONS = sorted(path.name[:4] for path in (PROJECT / "migrations" / "versions").glob("0*.py"))
HEAD = REVISIONS[-1]
LAST_WRITTEN = "0009"  # ``fill`` knows the rows of so far; a later revision has them from its predecessor


def fill(connection: Connection, revision: str) -> None:
    """Write a row into each table of a database at this revision."""
    rows = ROWS_OF_0001
    if revision >= "0004":  # columns without a default were added
        rows = rows.replace(
            "join_code, created_at)", "join_code, created_at, hint_levels, hints_after, inherited_share)"
        )
        rows = rows.replace(f"'ABCDE-FGHJK', '{MOMENT}')", f"'ABCDE-FGHJK', '{MOMENT}', 3, 0, 0)")
        rows = rows.replace("seconds, graded_at)", "seconds, graded_at, inherited)")
        rows = rows.replace(f"0.1, '{MOMENT}')", f"0.1, '{MOMENT}', 1)")
    ticket = TICKET_OF_0001 if revision == "0001" else TICKET_OF_0002
    if revision >= "0006":  # students became accounts, enrolments seats
        rows = rows.replace("INTO student (id, name, created_at)", "INTO account (id, name, is_admin, created_at)")
        rows = rows.replace("'Instructor', ", "'Instructor', false, ").replace("'Ada', ", "'Ada', false, ")
        rows = rows.replace("INTO enrolment", "INTO seat")
        rows, ticket = (statement.replace("student_id", "account_id") for statement in (rows, ticket))
    if revision >= "0008":
        rows = rows.replace("inherited_share)", "inherited_share, counterexamples)")
        rows = rows.replace(f"'{MOMENT}', 3, 0, 0)", f"'{MOMENT}', 3, 0, 0, true)")
    for statement in f"{rows};{ticket}".split(";"):
        connection.execute(text(statement))


@pytest.mark.parametrize("revision", REVISIONS[:-1])
def test_data_of_each_earlier_revision_is_kept(url: str, revision: str) -> None:
    migrate.upgrade(url, min(revision, LAST_WRITTEN))
    with migrate.migrating(url) as connection:
        fill(connection, min(revision, LAST_WRITTEN))
    migrate.upgrade(url, revision)

    migrate.upgrade(url)

    migrate.check(url)
    database = Database(url)
    with database.reading() as session:
        accounts = session.exec(select(AccountRow).order_by(AccountRow.name)).all()
        assert [(each.id, each.name, each.is_admin) for each in accounts] == [
            (2, "Ada", False),
            (1, "Instructor", False),
        ]
        assert [code.code for code in session.exec(select(JoinCodeRow))] == ["ABCDE-FGHJK"]
        seats = session.exec(select(SeatRow)).all()
        assert {(each.account_id, each.role) for each in seats} == {(1, Role.INSTRUCTOR), (2, Role.STUDENT)}
        assert session.exec(select(TokenRow)).one().account_id == 2
        assert session.exec(select(InstanceRow)).one().account_id == 2
        submissions = session.exec(select(SubmissionRow)).all()
        assert {(each.id, each.account_id, each.idempotency_key) for each in submissions} == {
            (1, 2, "key"),
            (2, 2, None),
        }
        ticket = session.exec(select(TicketRow)).one()
        assert (ticket.submission_id, ticket.account_id, ticket.tries) == (2, 2, 1)
        assert ticket.rank == (0 if revision == "0001" else 77)
        grade = session.exec(select(GradeRow)).one()
        assert (grade.submission_id, grade.instance_id, grade.inherited) == (1, 1, 1)
        assert session.exec(select(ComparisonRow)).one().name == "c"
        progress = session.exec(select(ProgressRow)).one()
        assert (progress.account_id, progress.best, progress.attempts) == (2, "wrong", 3)
        assert progress.first_inherited_at == datetime.fromisoformat(f"{MOMENT}+00:00")
        course = session.exec(select(CourseRow)).one()
        assert (course.hint_levels, course.hints_after, course.inherited_share) == (3, 0, 0)
        assert course.counterexamples is True
    database.close()


def test_foreign_keys_and_new_ids_work_after_the_renaming(url: str) -> None:
    migrate.upgrade(url, "0005")
    with migrate.migrating(url) as connection:
        fill(connection, "0005")
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT setval('student_id_seq', 2)"))

    migrate.upgrade(url)

    database = Database(url)
    with database.writing() as session:
        account = AccountRow(name="Ben")
        session.add(account)
        session.flush()
        session.add(SeatRow(course_id=1, account_id=account.id))
    with pytest.raises(Exception, match=r"(?i)foreign key"), database.writing() as session:
        session.add(SeatRow(course_id=1, account_id=99))
    database.close()
    assert account.id == 3


def test_each_name_follows_the_renaming(url: str) -> None:
    migrate.upgrade(url)

    with migrate.migrating(url) as connection:
        if connection.dialect.name == "sqlite":
            names = connection.exec_driver_sql("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL").scalars().all()
        else:
            ours = "NOT LIKE 'procrastinate%%'"
            names = [
                *connection.exec_driver_sql(f"SELECT relname FROM pg_class WHERE relname {ours}").scalars(),
                *connection.exec_driver_sql(f"SELECT conname FROM pg_constraint WHERE conname {ours}").scalars(),
                *connection.exec_driver_sql(
                    "SELECT attname FROM pg_attribute JOIN pg_class ON attrelid = pg_class.oid"
                    " WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace"
                ).scalars(),
            ]

    assert [name for name in names if "student" in name or "enrolment" in name] == []


def test_an_assistant_becomes_a_student_for_an_earlier_server(url: str) -> None:
    migrate.upgrade(url, "0005")
    with migrate.migrating(url) as connection:
        fill(connection, "0005")
    migrate.upgrade(url)
    with migrate.migrating(url) as connection:
        connection.execute(text("UPDATE seat SET role = 'assistant' WHERE account_id = 2"))

    migrate.downgrade(url, "0005")

    with migrate.migrating(url) as connection:
        roles = connection.execute(text("SELECT role FROM enrolment ORDER BY student_id")).scalars().all()
    assert roles == ["instructor", "student"]


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_progress_is_stored_in_the_order_of_its_key(url: str) -> None:
    migrate.upgrade(url)

    with migrate.migrating(url) as connection:
        statement = "SELECT sql FROM sqlite_master WHERE name = 'progress'"
        definition = connection.exec_driver_sql(statement).scalar_one()

    assert definition.rstrip().endswith("WITHOUT ROWID")


# -- a database of the first migration, with tickets and grades of several students ------------------------------

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
    migrate.upgrade(url, "0001")
    database = Database(url)
    with database.writing() as session:
        for statement in FIRST_ROWS.split(";"):
            if statement.strip():
                session.connection().exec_driver_sql(statement)
    yield database
    database.close()


def test_tickets_of_the_first_migration_get_their_student(old: Database, url: str) -> None:
    old.close()

    migrate.upgrade(url)

    with old.reading() as session:
        tickets = session.exec(select(TicketRow).order_by(col(TicketRow.id))).all()
    assert [(each.submission_id, each.account_id, each.rank) for each in tickets] == [(1, 2, 0), (2, 1, 0)]
    assert [(each.state, each.tries) for each in tickets] == [(TicketState.QUEUED, 0), (TicketState.RUNNING, 2)]


def test_what_waits_to_be_graded_again_becomes_an_open_regrade(old: Database, url: str) -> None:
    old.close()
    migrate.upgrade(url, "0009")
    with old.writing() as session:
        session.connection().exec_driver_sql("UPDATE ticket SET rank = 2000000002 WHERE id = 2")
    old.close()

    migrate.upgrade(url)

    with old.reading() as session:
        regrade = session.exec(select(RegradeRow)).one()
        tickets = session.exec(select(TicketRow).order_by(col(TicketRow.id))).all()
        grades = session.exec(select(GradeRow)).all()
    assert (regrade.course_id, regrade.account_id, regrade.accepted_at) == (1, None, None)
    assert [each.regrade_id for each in tickets] == [None, regrade.id]
    assert all(each.counts for each in grades)


def test_a_grade_that_does_not_count_is_gone_on_the_way_back(old: Database, url: str) -> None:
    old.close()
    migrate.upgrade(url)
    with old.writing() as session:
        session.connection().exec_driver_sql("UPDATE grade SET counts = false WHERE id = 1")
    old.close()

    migrate.downgrade(url, "0009")

    with old.reading() as session:
        asked = session.connection().exec_driver_sql
        assert asked("SELECT id FROM grade").scalars().all() == [2]
        assert asked("SELECT count(*) FROM comparison").scalar_one() == 0


def test_old_grades_get_their_count_of_inherited_rows(old: Database, url: str) -> None:
    old.close()

    migrate.upgrade(url)

    with old.reading() as session:
        grades = session.exec(select(GradeRow).order_by(col(GradeRow.id))).all()
        course = session.get_one(CourseRow, 1)
    assert [each.inherited for each in grades] == [2, 0]
    assert (course.hint_levels, course.hints_after, course.inherited_share) == (3, 0, 0)


# Submission, minute, grade, verdict, origin: of the last one a newer grade takes the first one back.
GRADES_OF_0009 = (
    (11, 1, 11, "wrong", "inherited"),
    (12, 5, 12, "rounding", None),
    (13, 4, 13, "exact", None),
    (14, 3, 14, "exact", None),
    (14, 3, 15, "wrong", "own"),
)
# Ada's other checkpoint, and the same one of somebody else, whose answers are not hers.
PROGRESS_OF_0009 = """
    INSERT INTO progress (course_id, account_id, exercise, checkpoint, best, attempts)
        VALUES (1, 2, 'a/b', 'd', 'exact', 4), (1, 2, 'a/b', 'e', 'wrong', 1), (1, 1, 'a/b', 'd', 'wrong', 1)
"""


def test_the_first_moments_are_those_of_the_newest_grades(url: str) -> None:
    migrate.upgrade(url, "0009")
    with migrate.migrating(url) as connection:
        fill(connection, "0009")
        for id, minute in sorted({(id, minute) for id, minute, *_ in GRADES_OF_0009}):
            connection.execute(
                text(
                    "INSERT INTO submission"
                    " (id, course_id, account_id, exercise, revision, attempt, kind, body, digest, created_at)"
                    f" VALUES ({id}, 1, 2, 'a/b', 1, {id}, 'code', '', '', '2026-09-01 12:0{minute}:00.000000')"
                )
            )
        for submission, _, grade, verdict, origin in GRADES_OF_0009:
            connection.execute(
                text(
                    "INSERT INTO grade (id, submission_id, instance_id, revision, environment, flags, passed, exact,"
                    " total, seconds, graded_at, inherited)"
                    f" VALUES ({grade}, {submission}, 1, 1, 'torch {grade}', '[]',"
                    f" 0, 0, 1, 0.1, '{MOMENT}', 0)"
                )
            )
            connection.execute(
                text(
                    "INSERT INTO comparison (grade_id, position, name, verdict, exact, approximate, origin, diagnosis,"
                    f" notes) VALUES ({grade}, 0, 'd', :verdict, false, false, :origin, '[]', '[]')"
                ),
                {"verdict": verdict, "origin": origin},
            )
        connection.execute(text("UPDATE progress SET checkpoint = 'gone'"))
        connection.execute(text(PROGRESS_OF_0009))

    migrate.upgrade(url)

    database = Database(url)
    with database.reading() as session:
        rows = session.exec(select(ProgressRow)).all()
    database.close()
    moments = {
        (row.account_id, row.checkpoint): [
            moment and moment.minute for moment in (row.first_exact_at, row.first_inherited_at)
        ]
        for row in rows
    }
    nothing = [None, None]
    assert moments == {(2, "d"): [4, 1], (2, "e"): nothing, (1, "d"): nothing, (2, "gone"): nothing}


def test_rows_survive_the_way_back(old: Database, url: str) -> None:
    old.close()
    migrate.upgrade(url)

    migrate.downgrade(url, "0001")

    with old.reading() as session:
        asked = session.connection().exec_driver_sql
        assert asked("SELECT id, submission_id, state, tries FROM ticket ORDER BY id").all() == [
            (1, 1, "queued", 0),
            (2, 2, "running", 2),
        ]
        assert asked("SELECT count(*) FROM comparison").scalar_one() == 4
        assert asked("SELECT join_code FROM course").scalar_one() == "A"
