"""Pace: at most so many submissions of a student within a minute."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import timedelta

import pytest

from server import courses, pace
from server.db import Database
from server.models import AnswerKind, ExerciseRevision, Role, Submission, now
from server.pace import TooFast

pytestmark = pytest.mark.parametrize("url", ["sqlite"], indirect=True)

NOW, EARLIER = timedelta(0), timedelta(seconds=61)
MINUTE = timedelta(minutes=1)


def students(database: Database) -> tuple[int, int]:
    """Two students of a course."""
    with database.writing() as session:
        session.add(ExerciseRevision(slug="a/b", revision=1))
        course = courses.open_course(session, "autumn", "Autumn")
        ada, bob = (courses.enrol(session, course, name, Role.STUDENT).student.id for name in ("Ada", "Bob"))
    return ada, bob


def hand_in(database: Database, student_id: int, ages: Iterable[timedelta]) -> None:
    """Submissions of these ages."""
    with database.writing() as session:
        for attempt, age in enumerate(ages):
            row = Submission(
                course_id=1,
                student_id=student_id,
                exercise="a/b",
                revision=1,
                attempt=attempt,
                kind=AnswerKind.CODE,
                body=b"",
                digest="",
                created_at=now() - age,
            )
            row.insert(session)


def is_let_through(database: Database, student_id: int, most: int) -> bool:
    """Whether a student may hand in."""
    with database.reading() as session:
        try:
            pace.require(session, student_id, most)
        except TooFast:
            return False
    return True


@pytest.mark.parametrize(
    ("ages", "most", "expected"),
    [
        ([], 1, True),
        ([NOW], 1, False),
        ([NOW], 2, True),
        ([NOW, NOW], 2, False),
        ([EARLIER], 1, True),
        ([EARLIER, EARLIER, NOW], 1, False),  # the newest counts, whatever the oldest is
        ([NOW, EARLIER, EARLIER], 1, False),  # by its moment, not by its row
        ([EARLIER, EARLIER, NOW], 2, True),
        ([EARLIER, NOW, NOW], 2, False),
        ([NOW] * 5, 0, True),
    ],
)
def test_so_many_are_taken_within_a_minute(
    database: Database, ages: list[timedelta], most: int, expected: bool
) -> None:
    ada, _ = students(database)

    hand_in(database, ada, ages)

    assert is_let_through(database, ada, most) is expected


def test_a_classmate_is_not_held_up(database: Database) -> None:
    ada, bob = students(database)

    hand_in(database, ada, [NOW])

    assert is_let_through(database, bob, 1)


def test_the_wait_is_what_is_left_of_the_minute(database: Database) -> None:
    ada, _ = students(database)
    before = now()
    hand_in(database, ada, [NOW])
    handed_in = now()

    asked = now()
    with database.reading() as session, pytest.raises(TooFast) as refused:
        pace.require(session, ada, 1)

    # As it was when the server looked, at some moment between then and now.
    longest, shortest = handed_in + MINUTE - asked, before + MINUTE - now()
    seconds = int((refused.value.headers or {})["Retry-After"])
    assert math.ceil(shortest.total_seconds()) <= seconds <= math.ceil(longest.total_seconds())
    assert f"wait {seconds} s" in refused.value.detail
