"""Rules read for one exercise and for all of them are the same, on both databases."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlmodel import select

from server.courses.access import Membership
from server.database.table import now
from server.rules.rules import Rules, find_all_rules, find_rules
from server.tables import CourseRow, ExtensionRow, Feedback, LatePolicy, Role, SeatRow
from tests.support.assigned import assign, extend
from tests.support.packs import default_exercises
from tests.support.servers import COURSE, FULL, RunningServer, Student

NOW = now()
HOUR = timedelta(hours=1)
OTHER = "makemore/cross-entropy"


def read(server: RunningServer, account_id: int, role: Role, moment: datetime = NOW) -> dict[str, Rules]:
    """Read all rules, and check that each is what is read alone."""
    with server.services.database.reading() as session:
        asking = Membership(session.exec(select(CourseRow).where(CourseRow.slug == COURSE)).one(), frozenset({role}))
        found = find_all_rules(session, asking, account_id, default_exercises(), moment)
        assert found == {slug: find_rules(session, asking, account_id, slug, moment) for slug in default_exercises()}
    return found


@pytest.mark.parametrize(
    "fields",
    [
        {"due_at": NOW - HOUR, "late_policy": LatePolicy.CLOSED},
        {"due_at": NOW + HOUR, "feedback": Feedback.AFTER_DUE},
        {"feedback": Feedback.AFTER_ATTEMPTS, "feedback_after": 2, "hint_levels": 1},
    ],
    ids=["closed", "after_due", "after_attempts"],
)
def test_one_and_all_are_read_alike(server: RunningServer, student: Student, fields: dict[str, Any]) -> None:
    practice = read(server, student.id, Role.STUDENT)
    assign(server, **fields)
    extend(server, student, hours=3)
    student.submit_bytes(b"\x02\0\0\0\0\0\0\0{}")

    rules, of_staff = (read(server, student.id, role) for role in (Role.STUDENT, Role.ASSISTANT))

    assert [each.is_assigned for each in practice.values()] == [True] * len(practice)
    assert next(iter(rules)) == FULL and rules[FULL].is_assigned and not rules[OTHER].is_assigned
    assert rules[FULL].attempts == (1 if "feedback_after" in fields else 0)
    if "due_at" in fields:
        due_at = rules[FULL].due_at
        assert due_at is not None and due_at > NOW + 2 * HOUR
    assert all(each.is_free and each.withheld is None for each in of_staff.values())


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_a_sections_extension_is_that_of_its_students_alone(server: RunningServer, student: Student) -> None:
    bob = server.join("Bob")
    assign(server, due_at=NOW - HOUR, late_policy=LatePolicy.CLOSED)
    with server.services.database.writing() as session:
        seat = session.exec(select(SeatRow).where(SeatRow.account_id == student.id)).one()
        seat.section = "B"
        extension: dict[str, Any] = {
            "course_id": seat.course_id,
            "exercise": FULL,
            "due_at": NOW + HOUR,
            "reason": "a holiday",
        }
        session.add(ExtensionRow(**extension, section="B"))

    assert [read(server, each.id, Role.STUDENT)[FULL].is_over for each in (student, bob)] == [False, True]
    later = NOW + 2 * HOUR
    assert read(server, student.id, Role.STUDENT, later)[FULL].is_over
