"""Pace: at most so many submissions of a student within a minute."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import timedelta

import pytest

from server.courses import courses
from server.database.engine import Database
from server.database.table import now
from server.submissions import rate_limit
from server.submissions.rate_limit import TooFast
from server.tables import AnswerKind, ExerciseRevisionRow, Role, SubmissionRow

pytestmark = pytest.mark.parametrize("url", ["sqlite"], indirect=True)

NOW, EARLIER = timedelta(0), timedelta(seconds=61)
MINUTE = timedelta(minutes=1)


def students(database: Database) -> tuple[int, int]:
    """Two students of a course."""
    with database.writing() as session:
        session.add(ExerciseRevisionRow(slug="a/b", revision=1))
        course = courses.open_course(session, "autumn", "Autumn")
        student, bob = (courses.enrol(session, course, name, Role.STUDENT).account.id for name in ("Ada", "Bob"))
    return student, bob


def hand_in(database: Database, account_id: int, ages: Iterable[timedelta]) -> None:
    """Submissions of these ages."""
    with database.writing() as session:
        for attempt, age in enumerate(ages):
            row = SubmissionRow(
                course_id=1,
                account_id=account_id,
                exercise="a/b",
                revision=1,
                attempt=attempt,
                kind=AnswerKind.CODE,
                body=b"",
                digest="",
                created_at=now() - age,
            )
            row.insert(session)


def is_let_through(database: Database, account_id: int, most: int) -> bool:
    """Whether a student may hand in."""
    with database.reading() as session:
        try:
            rate_limit.check(session, account_id, most)
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
    student, _ = students(database)

    hand_in(database, student, ages)

    assert is_let_through(database, student, most) is expected


def test_a_classmate_is_not_held_up(database: Database) -> None:
    student, bob = students(database)

    hand_in(database, student, [NOW])

    assert is_let_through(database, bob, 1)


def test_the_wait_is_what_is_left_of_the_minute(database: Database) -> None:
    student, _ = students(database)
    before = now()
    hand_in(database, student, [NOW])
    handed_in = now()

    asked = now()
    with database.reading() as session, pytest.raises(TooFast) as refused:
        rate_limit.check(session, student, 1)

    # As it was when the server looked, at some moment between then and now.
    longest, shortest = handed_in + MINUTE - asked, before + MINUTE - now()
    seconds = int((refused.value.headers or {})["Retry-After"])
    assert math.ceil(shortest.total_seconds()) <= seconds <= math.ceil(longest.total_seconds())
    assert f"wait {seconds} s" in refused.value.detail
