"""The clock is put forward or back by a day: nothing is lost, nobody waits for it.

What the server keeps are moments. So the clock is put back by adding a day to all of them.
"""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlmodel import SQLModel, select

from server.database.engine import Database
from server.queue.timing import Timing
from server.settings import Settings
from server.tables import PairingCodeRow, SubmissionRow, TicketRow, TicketState
from tests.support.servers import IMPATIENT, SOLUTION, RunningServer, Student, eventually, is_problem

PER_MINUTE = 3
DAY = timedelta(days=1)
both_ways = pytest.mark.parametrize("jump", [DAY, -DAY], ids=["back", "forward"])


@pytest.fixture
def timing() -> Timing:
    """Look for a clock that was put back fifty times a second."""
    return Timing(**vars(IMPATIENT) | {"renew_seconds": 0.02})


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """A limit that is met soon."""
    return settings.model_copy(update={"submissions_per_minute": PER_MINUTE})


def shift(database: Database, table: type[SQLModel], jump: timedelta, *columns: str) -> None:
    """Add to every moment of these columns."""
    with database.writing() as session:
        for row in session.exec(select(table)):
            for name in columns:
                setattr(row, name, getattr(row, name) + jump)


def put_clock_back(database: Database, jump: timedelta) -> None:
    """Let everything that is kept seem later than it was."""
    shift(database, SubmissionRow, jump, "created_at")
    shift(database, TicketRow, jump, "due_at")
    shift(database, PairingCodeRow, jump, "expires_at")


@both_ways
def test_tickets_that_wait_or_run_are_graded_at_once(
    server: RunningServer, student: Student, jump: timedelta, caplog: pytest.LogCaptureFixture
) -> None:
    database = server.services.database
    dead, waiting = server.join("Bob"), server.join("Eve")
    server.services.dispatcher.stop()
    ids = [each.submit_code(SOLUTION, wait=0).json()["id"] for each in (student, dead, waiting)]
    with database.writing() as session:  # a worker that has just died took it
        (ticket,) = session.exec(select(TicketRow).where(TicketRow.submission_id == ids[1]))
        ticket.state, ticket.tries = TicketState.RUNNING, 1
    put_clock_back(database, jump)

    dispatcher = server.services.make_dispatcher(server.services.signals)
    dispatcher.start()

    try:
        assert eventually(
            lambda: all(server.instructor.get(f"/api/v1/submissions/{id}").json()["status"] == "graded" for id in ids)
        )
    finally:
        dispatcher.stop()
    said = [message for message in caplog.messages if message.startswith("The clock was put back: 3 tickets")]
    assert len(said) == (1 if jump > timedelta(0) else 0)


@both_ways
def test_the_rate_limit_waits_for_no_clock(server: RunningServer, student: Student, jump: timedelta) -> None:
    for _ in range(PER_MINUTE):
        assert student.submit_code(SOLUTION).status_code == 201
    assert is_problem(student.submit_code(SOLUTION), 429)

    put_clock_back(server.services.database, jump)

    assert student.submit_code(SOLUTION).status_code == 201
    for _ in range(PER_MINUTE - 1):
        assert student.submit_code(SOLUTION).status_code == 201
    refused = student.submit_code(SOLUTION)
    assert is_problem(refused, 429)
    assert int(refused.headers["Retry-After"]) <= 60


@both_ways
def test_a_code_of_another_clock_is_refused_and_a_new_one_works(
    server: RunningServer, student: Student, jump: timedelta
) -> None:
    old = student.post("/api/v1/pairing-codes").json()["code"]
    put_clock_back(server.services.database, jump)

    refused = server.client.post("/api/v1/pair", json={"code": old})

    assert is_problem(refused, 404)
    new = student.post("/api/v1/pairing-codes").json()["code"]
    assert server.client.post("/api/v1/pair", json={"code": new}).status_code in (200, 201)
