"""Assignments as values: what is left open is the course's, and extensions move the due time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from server.assignments.assignment import Assignment, NotAssigned, extensions_of, find_assignment, list_assignments
from server.courses import courses
from server.tables import AssignmentRow, CourseRow, ExtensionRow, SeatRow
from tests.support.servers import Members, RunningServer

DUE = datetime(2026, 12, 1, 22, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def course_of(hint_levels: int = 2) -> CourseRow:
    return CourseRow(id=1, slug="autumn", title="Autumn", hint_levels=hint_levels)


def test_what_an_assignment_leaves_open_is_the_courses() -> None:
    row = AssignmentRow(course_id=1, exercise="a/b", position=0, hints_after=4)

    assignment = Assignment.of(row, course_of(hint_levels=2))

    assert (assignment.hint_levels, assignment.hints_after) == (2, 4)


def test_the_latest_extension_holds_and_a_shorter_one_takes_nothing_away() -> None:
    assignment = Assignment.of(AssignmentRow(course_id=1, exercise="a/b", position=0, due_at=DUE), course_of())

    assert assignment.due_for([]) == DUE
    assert assignment.due_for([DUE - DAY, DUE + 2 * DAY, DUE + DAY]) == DUE + 2 * DAY
    assert Assignment.open_practice(course_of(), "a/b").due_for([DUE]) is None


def test_a_course_without_assignments_is_open_practice(server: RunningServer, here: Members) -> None:
    with server.services.database.writing() as session:
        course = courses.find_course(session, here.slug)
        assert course is not None
        before = [each.exercise for each in list_assignments(session, course, ["makemore/d", "c/d", "makemore/b"])]
        session.add(AssignmentRow(course_id=course.id, exercise="makemore/b", position=0))
        session.flush()
        after = [each.exercise for each in list_assignments(session, course, ["makemore/d", "makemore/b"])]

        assert (before, after) == (["makemore/d", "makemore/b"], ["makemore/b"])  # c is no pack of the course
        assert find_assignment(session, course, "makemore/b").version == 1
        with pytest.raises(NotAssigned):
            find_assignment(session, course, "makemore/d")


def test_extensions_are_ones_own_and_ones_sections(server: RunningServer, here: Members) -> None:
    with server.services.database.writing() as session:
        course = courses.find_course(session, here.slug)
        assert course is not None
        mine, other = here.student.account, here.instructor.account
        session.get_one(SeatRow, (course.id, mine)).section = "B"
        for account_id, section, days, revoked_at in (
            (mine, None, 1, None),
            (None, "B", 2, None),
            (None, "A", 3, None),
            (other, None, 4, None),
            (mine, None, 5, DUE),
        ):
            session.add(
                ExtensionRow(
                    course_id=course.id,
                    exercise="a/b",
                    account_id=account_id,
                    section=section,
                    due_at=DUE + days * DAY,
                    reason="ill",
                    revoked_at=revoked_at,
                )
            )
        session.flush()

        assert sorted(extensions_of(session, course, "a/b", mine)) == [DUE + DAY, DUE + 2 * DAY]
