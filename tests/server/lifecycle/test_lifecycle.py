"""A course from its opening to its removal: copied, archived, removed with all that is its own."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import func
from sqlmodel import Session, select

from server.assignments import changes
from server.audit import reading
from server.audit.log import Entry, record
from server.audit.reading import Question
from server.courses import changing, courses
from server.courses.access import OPERATOR, Actor, Archived
from server.courses.changing import BadCourse
from server.courses.courses import SlugTaken
from server.database.engine import Database
from server.instances.exercises import record_revisions
from server.lifecycle import copying, removal
from server.lifecycle.copying import CopyOrder
from server.lifecycle.removal import CourseHasWork, NotConfirmed, RunUnderWay, rows_of_course
from server.tables import (
    AnswerKind,
    AssignmentRow,
    CommentRow,
    ComparisonRow,
    CourseRow,
    DraftRow,
    ExtensionRow,
    GradeRow,
    InstanceRow,
    OverrideRow,
    ProgressRow,
    Role,
    SeatRow,
    SubmissionRow,
    TicketRow,
    TicketState,
    metadata,
)
from tests.support.servers import FULL

on_sqlite = pytest.mark.parametrize("url", ["sqlite"], indirect=True)
DUE = datetime(2026, 10, 1, 21, 59, tzinfo=UTC)  # 23:59 in Berlin, in summer time
OF_PEOPLE = {"account", "token", "pairing_code", "invitation", "instance", "exercise_revision", "installation"}


def open_course(session: Session, slug: str) -> tuple[CourseRow, int]:
    course = courses.open_course(session, slug, slug.title())
    course.time_zone = "Europe/Berlin"
    return course, courses.enrol(session, course, f"Ada of {slug}", Role.STUDENT).account.id


def fill(session: Session, course: CourseRow, account_id: int) -> None:
    """Write a row of every kind that belongs to a course."""
    key: dict[str, Any] = {"course_id": course.id, "account_id": account_id, "exercise": FULL}
    instance = InstanceRow(exercise=FULL, revision=1, kind="hidden", dataset="", digest="", state=b"")
    session.add(instance)
    session.add(AssignmentRow(course_id=course.id, exercise=FULL, position=0, due_at=DUE))
    session.flush()
    submission = SubmissionRow(
        **key, revision=1, attempt=1, kind=AnswerKind.CODE, body=b"x", digest="", instance_id=instance.id
    )
    session.add(submission)
    session.flush()
    grade = GradeRow(
        submission_id=submission.id,
        instance_id=instance.id,
        revision=1,
        environment="",
        passed=0,
        exact=0,
        total=1,
        seconds=0,
    )
    session.add(grade)
    session.flush()
    comparison: dict[str, Any] = {"name": "h", "verdict": "wrong", "exact": False, "approximate": False}
    session.add(ComparisonRow(grade_id=grade.id, position=0, **comparison))
    session.add(TicketRow(submission_id=submission.id, account_id=account_id))
    session.add(CommentRow(submission_id=submission.id, author_id=account_id, text="well done"))
    session.add(OverrideRow(**key, points=1, reason="oral"))
    session.add(DraftRow(**key, source="dh = 1"))
    session.add(ProgressRow(**key, checkpoint="h", best="wrong", attempts=1))
    session.add(ExtensionRow(**key, due_at=DUE, reason="ill"))
    record(session, Entry(course.id, account_id, "override.set", account_id, FULL, submission.id))
    session.flush()


def counts(session: Session) -> dict[str, int]:
    return {
        name: session.connection().execute(select(func.count()).select_from(table)).scalar_one()
        for name, table in metadata.tables.items()
    }


def test_a_removal_takes_what_belongs_to_the_course_and_nothing_else(database: Database) -> None:
    record_revisions(database)
    with database.writing() as session:
        fill(session, *open_course(session, "spring"))
    with database.reading() as session:
        before = counts(session)
    with database.writing() as session:
        course, account_id = open_course(session, "autumn")
        fill(session, course, account_id)
    with database.reading() as session:
        between = counts(session)
        of_course = {name for name in between if between[name] > before[name]} - OF_PEOPLE

    with database.writing() as session:
        found = courses.find_course(session, "autumn")
        assert found is not None
        removal.remove(session, found, "autumn", OPERATOR, with_work=True)

    with database.reading() as session:
        after = counts(session)
        assert courses.find_course(session, "autumn") is None
    assert {name: after[name] for name in of_course} == {name: before[name] for name in of_course}
    assert {name: after[name] for name in OF_PEOPLE} == {name: between[name] for name in OF_PEOPLE}


def test_each_table_belongs_to_courses_or_to_others() -> None:
    of_courses = {table.name for table in metadata.sorted_tables if rows_of_course(table, 1) is not None}

    assert set(metadata.tables) - of_courses == OF_PEOPLE


@on_sqlite
def test_a_removal_is_confirmed_and_waits_for_runs(database: Database) -> None:
    record_revisions(database)
    with database.writing() as session:
        course, account_id = open_course(session, "autumn")
        fill(session, course, account_id)
        with pytest.raises(CourseHasWork, match="It has 1 seat and 1 submission"):
            removal.remove(session, course, "autumn", OPERATOR, with_work=False)
        with pytest.raises(NotConfirmed, match="send its slug: autumn"):
            removal.remove(session, course, "spring", OPERATOR, with_work=True)
        ticket = session.exec(select(TicketRow)).one()
        ticket.state, ticket.due_at = TicketState.RUNNING, datetime(2100, 1, 1, tzinfo=UTC)
        session.flush()
        with pytest.raises(RunUnderWay):
            removal.remove(session, course, "autumn", OPERATOR, with_work=True)

    with database.reading() as session:
        assert removal.count(session, course).submissions == 1


def test_a_copy_has_the_rules_and_the_dates_moved_and_nobody(database: Database) -> None:
    with database.writing() as session:
        course, account_id = open_course(session, "autumn")
        course.inherited_share = 0.25
        skipped = datetime(2026, 9, 27, 0, 30, tzinfo=UTC)  # 02:30 in Berlin, 182 days before the clocks skip it
        session.add(
            AssignmentRow(course_id=course.id, exercise=FULL, position=0, opens_at=skipped, due_at=DUE, version=7)
        )
        session.add(ExtensionRow(course_id=course.id, exercise=FULL, account_id=account_id, due_at=DUE, reason="ill"))
        changing.archive(session, course, OPERATOR)

        made = copying.copy(session, course, CopyOrder("spring", shift_days=182), Actor(account_id), account_id)

    with database.reading() as session:
        copied = courses.find_course(session, "spring")
        assert copied is not None
        (row,) = changes.read(session, copied)
        seats = session.exec(select(SeatRow).where(SeatRow.course_id == copied.id)).all()
        assert (copied.title, copied.time_zone, copied.inherited_share) == ("Autumn", "Europe/Berlin", 0.25)
        assert copied.archived_at is None
        assert (row.due_at, row.version) == (datetime(2027, 4, 1, 21, 59, tzinfo=UTC), 1)
        assert [(seat.account_id, seat.role) for seat in seats] == [(account_id, Role.INSTRUCTOR)]
        assert session.exec(select(ExtensionRow.course_id)).all() == [course.id]
    assert made.remarks == [f"opens_at of {FULL} is 2027-03-28 03:30: the clocks skip that hour."]


@on_sqlite
def test_a_copy_needs_a_slug_of_its_own_and_dates_within_reach(database: Database) -> None:
    with database.writing() as session:
        course, _ = open_course(session, "autumn")
        session.add(AssignmentRow(course_id=course.id, exercise=FULL, position=0, due_at=DUE))
        session.flush()
        with pytest.raises(SlugTaken):
            copying.copy(session, course, CopyOrder("autumn"), OPERATOR, None)
        with pytest.raises(Exception, match="out of range"):
            copying.copy(session, course, CopyOrder("later", shift_days=99_999), OPERATOR, None)


@on_sqlite
def test_an_archived_course_changes_only_once_it_is_reopened(database: Database) -> None:
    with database.writing() as session:
        course, _ = open_course(session, "autumn")
        changing.change(session, course, {"title": "Last", "is_archived": True}, OPERATOR)
        with pytest.raises(Archived):
            changing.change(session, course, {"title": "New"}, OPERATOR)
        changing.change(session, course, {"title": "Last"}, OPERATOR)  # changes nothing
        changing.change(session, course, {"title": "New", "is_archived": False}, OPERATOR)
        session.flush()

        told = [(entry.row.act, entry.row.after) for entry in reading.read(session, course.id, Question())][::-1]

    assert (course.title, course.archived_at) == ("New", None)
    assert told == [
        ("course.change", {"title": "Last"}),
        ("course.archive", None),
        ("course.reopen", None),
        ("course.change", {"title": "New"}),
    ]


@pytest.mark.parametrize(
    "fields", [{"hint_levels": 4}, {"hints_after": -1}, {"inherited_share": 1.5}, {"inherited_share": float("nan")}]
)
def test_rules_that_no_course_has_are_refused(fields: dict[str, float]) -> None:
    with pytest.raises(BadCourse, match="must be"):
        changing.checked(fields)


def test_the_audit_log_is_read_by_act_person_exercise_and_page(database: Database) -> None:
    with database.writing() as session:
        course, ada = open_course(session, "autumn")
        other, bob = open_course(session, "spring")
        for act, actor, subject, exercise in (
            ("extension.grant", ada, bob, "a/b"),
            ("extension.revoke", None, bob, "a/b"),
            ("extensions.other", ada, None, None),
            ("override.set", ada, ada, "c/d"),
        ):
            record(session, Entry(course.id, actor, act, subject, exercise))
        record(session, Entry(other.id, ada, "extension.grant"))
        session.flush()

        def acts(question: Question) -> list[str]:
            return [entry.row.act for entry in reading.read(session, course.id, question)]

        assert acts(Question()) == ["override.set", "extensions.other", "extension.revoke", "extension.grant"]
        assert acts(Question(act="extension")) == ["extension.revoke", "extension.grant"]
        assert acts(Question(act="extension.grant")) == ["extension.grant"]
        assert acts(Question(act="ext%")) == []
        assert acts(Question(person=bob)) == ["extension.revoke", "extension.grant"]
        assert acts(Question(exercise="c/d")) == ["override.set"]
        first = reading.read(session, course.id, Question(limit=2))
        assert acts(Question(before=first[-1].row.id, limit=1)) == ["extension.revoke"]
        named = reading.read(session, course.id, Question(act="extension"))
        assert [(entry.actor, entry.subject) for entry in named] == [
            (None, "Ada of spring"),
            ("Ada of autumn", "Ada of spring"),
        ]
