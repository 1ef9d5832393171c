"""When somebody was last seen: written beside the requests, and seldom."""

from __future__ import annotations

from datetime import timedelta

import pytest

from server.courses import courses
from server.courses.last_seen import PAUSE_SECONDS, LastSeen
from server.database.engine import Database
from server.database.table import now
from server.tables import Role, SeatRow
from tests.support.servers import RunningServer, Student


@pytest.fixture
def seat(database: Database) -> tuple[int, int]:
    """The key of a seat."""
    with database.writing() as session:
        course = courses.open_course(session, "spring", "Spring")
        account = courses.enrol(session, course, "Ada", Role.STUDENT).account
    return course.id, account.id


def _forget(database: Database, seat: tuple[int, int]) -> None:
    with database.writing() as session:
        session.get_one(SeatRow, seat).last_seen_at = None


def _is_written(database: Database, seat: tuple[int, int]) -> bool:
    with database.reading() as session:
        return session.get_one(SeatRow, seat).last_seen_at is not None


def test_a_seat_is_written_once_in_some_minutes(database: Database, seat: tuple[int, int]) -> None:
    clock = [0.0]
    last_seen = LastSeen(database, lambda: clock[0])
    written = []
    for seconds in (0, 1, PAUSE_SECONDS - 1, PAUSE_SECONDS):
        clock[0] = seconds
        last_seen.note(*seat)
        written.append(_is_written(database, seat))
        _forget(database, seat)

    assert written == [True, False, False, True]


def test_what_another_process_wrote_stays(database: Database, seat: tuple[int, int]) -> None:
    moment = now() - timedelta(seconds=PAUSE_SECONDS / 2)
    with database.writing() as session:
        session.get_one(SeatRow, seat).last_seen_at = moment

    LastSeen(database).note(*seat)

    with database.reading() as session:
        assert session.get_one(SeatRow, seat).last_seen_at == moment


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_a_request_about_a_course_or_a_submission_is_seen(server: RunningServer, student: Student) -> None:
    submission = student.submit_code("dlogits = 0").json()["id"]
    seat = (1, student.id)
    assert _is_written(server.services.database, seat)
    _forget(server.services.database, seat)
    server.client.app.state.last_seen = LastSeen(server.services.database)  # type: ignore[attr-defined]

    student.get(f"/api/v1/submissions/{submission}")

    assert _is_written(server.services.database, seat)
