"""Changing assignments: what a change does to points, versions, order, and the audit log."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from sqlmodel import Session, col, select

from exercises.registry import exercises
from server.assignments import changes
from server.assignments.changes import BadOrder, Change, HasWork, Plan, UnknownAssignment
from server.assignments.exercises import UnknownExercise
from server.assignments.impact import Impact
from server.courses.access import Actor, Archived
from server.database.engine import Database
from server.database.table import now
from server.http.problems import Outdated
from server.instances.exercises import record_revisions
from server.tables import (
    AnswerKind,
    AssignmentRow,
    AuditRow,
    CourseRow,
    LatePolicy,
    OverrideRow,
    SeatRow,
    SubmissionRow,
)
from tests.server.assignments.conftest import DAY, DUE, STEPS, Class
from tests.support.servers import FULL, eventually, waits_for_a_lock

on_sqlite = pytest.mark.parametrize("url", ["sqlite"], indirect=True)

LOSS, NORM = "makemore/cross-entropy", "makemore/batch-norm"
DAILY = {"due_at": DUE, "late_policy": LatePolicy.DAILY, "late_per_day": 0.1}


def make(session: Session, course: CourseRow, change: Change) -> Plan:
    plan = changes.plan_change(session, course, change)
    changes.write(session, course, plan, Actor(None))
    return plan


def set_rules(session: Session, autumn: Class, exercise: str = FULL, **fields: Any) -> Plan:
    return make(session, autumn.of(session), Change(exercise, fields))


def acts(session: Session) -> list[tuple[str, str | None, Any, Any]]:
    rows = session.exec(select(AuditRow).order_by(col(AuditRow.id))).all()
    return [(row.act, row.exercise, row.before, row.after) for row in rows]


def test_a_change_says_whose_points_it_changes(database: Database, autumn: Class) -> None:
    with database.writing() as session:
        first = set_rules(session, autumn, due_at=DUE)
        daily = changes.plan_change(session, autumn.of(session), Change(FULL, DAILY))
        closed = changes.plan_change(session, autumn.of(session), Change(FULL, {"late_policy": LatePolicy.CLOSED}))
        worth = changes.plan_change(session, autumn.of(session), Change(FULL, {"points": 52.0}))

    assert first.impact == Impact()
    assert daily.impact == Impact(losing=1, lost=5.2)  # two days have begun: 20 % of Bob's 26 points
    assert closed.impact == Impact(losing=1, lost=26)
    assert worth.impact == Impact(gaining=2, gained=52)
    assert worth.impact.sentence == "The points of 2 students change: 2 gain 52 in all."


def test_overridden_and_removed_students_keep_their_points(database: Database, autumn: Class) -> None:
    with database.writing() as session:
        set_rules(session, autumn, due_at=DUE)
        course_id = autumn.course_id
        session.add(OverrideRow(course_id=course_id, account_id=autumn.ada, exercise=FULL, points=3, reason="oral"))
        session.get_one(SeatRow, (course_id, autumn.bob)).removed_at = now()
        session.flush()

        plan = changes.plan_change(session, autumn.of(session), Change(FULL, {"points": 52.0}))

    assert plan.impact == Impact()


@on_sqlite
def test_the_first_assignment_ends_open_practice(database: Database, autumn: Class) -> None:
    with database.writing() as session:
        first = changes.plan_change(session, autumn.of(session), Change(LOSS))
        set_rules(session, autumn)
        last = changes.plan_removal(session, autumn.of(session), FULL)

    assert first.impact == Impact(losing=2, lost=2 * len(STEPS))
    assert last.impact == Impact()  # open practice again: every exercise counts


@on_sqlite
def test_a_plan_alone_changes_nothing(database: Database, autumn: Class) -> None:
    with database.writing() as session:
        changes.plan_change(session, autumn.of(session), Change(FULL, DAILY))

    with database.reading() as session:
        assert changes.read(session, autumn.of(session)) == []
        assert acts(session) == []


def test_a_version_counts_changes_and_an_outdated_one_is_refused(database: Database, autumn: Class) -> None:
    with database.writing() as session:
        made = make(session, autumn.of(session), Change(FULL, DAILY, version=0))
        same = make(session, autumn.of(session), Change(FULL, DAILY, version=1))
        changed = make(session, autumn.of(session), Change(FULL, {"points": 5.0}, version=1))
        for version in (0, 1, 3):
            with pytest.raises(Outdated, match="at version 2 now"):
                changes.plan_change(session, autumn.of(session), Change(FULL, {}, version=version))
        with pytest.raises(Outdated, match="does not exist"):
            changes.plan_change(session, autumn.of(session), Change(LOSS, {}, version=1))

    assert [plan.row.version for plan in (made, same, changed)] == [1, 1, 2]
    with database.reading() as session:
        row = changes.find(session, autumn.of(session), FULL)
        assert (row.version, row.points, row.late_policy, row.due_at) == (2, 5.0, LatePolicy.DAILY, DUE)
        assert [act for act, *_ in acts(session)] == ["assignment.add", "assignment.change"]
        assert acts(session)[1] == ("assignment.change", FULL, {"points": None}, {"points": 5.0})


@on_sqlite
def test_a_whole_assignment_forgets_what_it_does_not_name(database: Database, autumn: Class) -> None:
    with database.writing() as session:
        make(session, autumn.of(session), Change(FULL, {"points": 5.0, **DAILY}))
        make(session, autumn.of(session), Change(FULL, {"points": 7.0}, is_whole=True))

    with database.reading() as session:
        row = changes.find(session, autumn.of(session), FULL)
    assert (row.points, row.due_at, row.late_policy, row.version) == (7.0, None, LatePolicy.NONE, 2)


@on_sqlite
def test_assignments_are_moved_and_put_in_order(database: Database, autumn: Class) -> None:
    with database.writing() as session:
        for exercise in (FULL, LOSS, NORM):
            set_rules(session, autumn, exercise)
        make(session, autumn.of(session), Change(NORM, position=1))
        moved = [row.exercise for row in changes.read(session, autumn.of(session))]
        versions = {row.exercise: row.version for row in changes.read(session, autumn.of(session))}
        changes.write(
            session,
            autumn.of(session),
            changes.plan_order(session, autumn.of(session), [LOSS, FULL, NORM]),
            Actor(None),
        )
        with pytest.raises(BadOrder, match="each assignment of the course once"):
            changes.plan_order(session, autumn.of(session), [LOSS, LOSS, NORM])

    assert moved == [NORM, FULL, LOSS]
    assert versions == {NORM: 2, FULL: 1, LOSS: 1}
    with database.reading() as session:
        assert [(row.exercise, row.position) for row in changes.read(session, autumn.of(session))] == [
            (LOSS, 0),
            (FULL, 1),
            (NORM, 2),
        ]
        assert acts(session)[-1][0] == "assignment.order"


def test_removing_asks_where_there_is_work_and_keeps_it(database: Database, autumn: Class) -> None:
    record_revisions(database)
    with database.writing() as session:
        set_rules(session, autumn)
        set_rules(session, autumn, LOSS)
        session.add(
            SubmissionRow(
                course_id=autumn.course_id,
                account_id=autumn.ada,
                exercise=FULL,
                revision=exercises()[FULL].revision,
                attempt=1,
                kind=AnswerKind.CODE,
                body=b"",
                digest="",
            )
        )
        session.flush()
        with pytest.raises(HasWork, match=r"1 answer of 1 student.*confirm=true"):
            changes.require_no_work(session, autumn.of(session), FULL)
        changes.require_no_work(session, autumn.of(session), LOSS)
        plan = changes.plan_removal(session, autumn.of(session), FULL, version=1)
        changes.write(session, autumn.of(session), plan, Actor(autumn.assistant))
        with pytest.raises(UnknownAssignment):
            changes.plan_removal(session, autumn.of(session), FULL)

    with database.reading() as session:
        assert [row.exercise for row in session.exec(select(AssignmentRow))] == [LOSS]
        assert len(session.exec(select(SubmissionRow)).all()) == 1
        act, exercise, before, after = acts(session)[-1]
    assert (act, exercise, after) == ("assignment.remove", FULL, None)
    assert before == {"position": 0}  # the rest were the defaults
    assert plan.impact == Impact(losing=2, lost=2 * len(STEPS))


@on_sqlite
def test_unknown_exercises_and_archived_courses_are_refused(database: Database, autumn: Class) -> None:
    with database.writing() as session:
        with pytest.raises(UnknownExercise, match=rf"Did you mean {FULL}\?"):
            changes.plan_change(session, autumn.of(session), Change(f"{FULL}s"))
        with pytest.raises(UnknownExercise, match=r"'basics/softmaxe'\. GET"):  # it has not that pack
            changes.plan_change(session, autumn.of(session), Change("basics/softmaxe"))
        session.get_one(CourseRow, autumn.course_id).archived_at = now() - DAY
        session.flush()
        with pytest.raises(Archived):
            changes.plan_change(session, autumn.of(session), Change(FULL))


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
def test_of_two_changes_of_one_version_the_second_is_outdated(database: Database, autumn: Class) -> None:
    with database.writing() as session:
        set_rules(session, autumn)
    refusals = []

    def change_too() -> None:
        with pytest.raises(Outdated) as refused, database.writing() as session:
            changes.plan_change(session, autumn.of(session), Change(FULL, {"points": 2.0}, version=1))
        refusals.append(refused.value.detail)

    with database.writing() as session:
        make(session, autumn.of(session), Change(FULL, {"points": 1.0}, version=1))
        second = threading.Thread(target=change_too)
        second.start()
        assert eventually(lambda: waits_for_a_lock(database))
    second.join()

    assert "at version 2 now" in refusals[0]
