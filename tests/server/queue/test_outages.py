"""Faults that are ours cost no student anything: the disk is full, or the database is away."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlmodel import select
from starlette.testclient import TestClient

from grader.sandbox import Job
from grader.sandbox.job import SandboxExhausted
from server.courses import courses
from server.database import migrate
from server.database.engine import Database
from server.queue.queries import TRIES_MAX
from server.queue.timing import Timing
from server.settings import Settings
from server.tables import TicketRow, TicketState
from tests.support import postgres
from tests.support.application import create_app
from tests.support.full_disk import full_disk
from tests.support.servers import (
    COURSE,
    IMPATIENT,
    SOLUTION,
    FakeSandbox,
    RunningServer,
    Student,
    eventually,
    is_problem,
    join_code_of,
)

LARGE = SOLUTION + f"\nprint('x' * 20_000)\n# {'x' * 20_000}"  # neither its grade nor itself fits where room is left
QUICK = replace(IMPATIENT, database_retry_seconds=0.02, reconnect_seconds=0.05)


@pytest.fixture
def timing() -> Timing:
    """Try again at once."""
    return QUICK


class Runs:
    """Counts the runs of code. Something happens during the first."""

    def __init__(self, at_first: Callable[[], object]) -> None:
        self.count = 0
        self._at_first = at_first

    def __call__(self, job: Job) -> None:
        """Count a run; what asks whether any code can be run has no source."""
        if job.source:
            self.count += 1
            if self.count == 1:
                self._at_first()


def tickets(database: Database) -> list[TicketRow]:
    """What remains to be done."""
    with database.reading() as session:
        return list(session.exec(select(TicketRow)))


def status(student: Student, address: str) -> str:
    """What the server says of a submission."""
    return str(student.get(address).json()["status"])


def test_a_grade_that_finds_the_disk_full_waits_and_is_stored_when_there_is_room(
    server: RunningServer, student: Student, fake_sandbox: FakeSandbox, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        assert student.submit_code(SOLUTION).status_code == 201  # so that the hidden instance is there
        disk = full_disk(server.services.database)
        runs = fake_sandbox.before = Runs(disk.__enter__)
        address = student.submit_code(LARGE, wait=0).headers["Location"]
        assert eventually(lambda: runs.count > 2 * TRIES_MAX)
        (ticket,) = tickets(server.services.database)
        assert ticket.state in (TicketState.QUEUED, TicketState.RUNNING) and ticket.tries <= 1
        assert eventually(lambda: "its disk is full" in server.client.get("/readyz").json()["checks"]["database"])
        assert is_problem(student.submit_code(LARGE, wait=0), 503)

        disk.__exit__(None, None, None)

        assert eventually(lambda: status(student, address) == "graded")
        assert eventually(lambda: server.client.get("/readyz").status_code == 200)
    ours = [record for record in caplog.records if record.name.startswith("server")]
    assert [record.message for record in ours if record.levelno >= logging.ERROR] == [
        "The database cannot be used: its disk is full; make room: a server goes on then, a command is typed again."
    ]


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_a_server_on_a_full_disk_stops_without_a_try(
    server: RunningServer, student: Student, fake_sandbox: FakeSandbox
) -> None:
    assert student.submit_code(SOLUTION).status_code == 201
    disk = full_disk(server.services.database)
    runs = fake_sandbox.before = Runs(disk.__enter__)
    student.submit_code(LARGE, wait=0)
    assert eventually(lambda: runs.count > 1)

    server.services.dispatcher.stop()

    disk.__exit__(None, None, None)
    assert [(each.state, each.tries) for each in tickets(server.services.database)] == [(TicketState.QUEUED, 0)]


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_a_run_that_found_no_descriptors_is_no_try(
    server: RunningServer, student: Student, fake_sandbox: FakeSandbox
) -> None:
    lost = 0

    def exhausted(job: Job) -> None:
        nonlocal lost
        if job.source and lost < 3 * TRIES_MAX:
            lost += 1
            raise SandboxExhausted("no descriptors left")

    fake_sandbox.before = exhausted

    assert student.submit_code(SOLUTION).json()["status"] == "graded"
    assert lost == 3 * TRIES_MAX


@pytest.fixture
def cluster() -> Iterator[postgres.Server]:
    """A PostgreSQL server of this test's own, to be stopped."""
    try:
        with postgres.restartable() as server:
            yield server
    except postgres.PostgresMissing as missing:
        pytest.skip(str(missing))


@pytest.fixture
def stoppable(cluster: postgres.Server, fake_sandbox: FakeSandbox, tmp_path: Path) -> Iterator[RunningServer]:
    """A server on it."""
    secret = SecretStr("0123456789abcdef" * 4)
    settings = Settings(data=tmp_path, database_url=SecretStr(cluster.url), secret=secret, children=1)
    migrate.upgrade(settings.url)
    database = Database(settings.url)
    with database.writing() as session:
        course = courses.open_course(session, COURSE, "Becoming a backprop ninja")
        code = join_code_of(session, course)
    database.close()
    app = create_app(settings, fake_sandbox.code_runner(), QUICK)
    with TestClient(app, raise_server_exceptions=False) as client:
        yield RunningServer(client, app.state.services, code, "")


def test_while_the_database_is_away_callers_are_told_to_come_back(
    cluster: postgres.Server, stoppable: RunningServer, fake_sandbox: FakeSandbox, caplog: pytest.LogCaptureFixture
) -> None:
    student = stoppable.join()
    assert student.submit_code(SOLUTION).status_code == 201
    assert eventually(lambda: stoppable.client.get("/readyz").status_code == 200)
    is_answered, is_stopped = threading.Event(), threading.Event()

    def stop() -> None:
        is_answered.wait(60)  # what is kept is shown in a transaction of its own
        cluster.stop()
        is_stopped.set()

    fake_sandbox.before = Runs(stop)
    with caplog.at_level(logging.INFO):
        address = student.submit_code(SOLUTION, wait=0).headers["Location"]
        is_answered.set()
        assert eventually(lambda: student.get("/api/v1/me").status_code == 503)

        for _ in range(20):
            answer = student.get("/api/v1/me")
            assert is_problem(answer, 503) and answer.headers["Retry-After"] == "5"
        assert is_problem(student.submit_code(SOLUTION), 503)
        assert is_problem(stoppable.client.post("/api/v1/join", json={"code": "x", "name": "Ada"}), 503)
        health = stoppable.client.get("/readyz")
        assert (health.status_code, health.json()["checks"]["database"][:23]) == (503, "it cannot be reached; s")
        assert stoppable.client.get("/healthz").status_code == 200

        assert is_stopped.wait(60)  # pg_ctl looks ten times a second whether the server is gone
        cluster.start()

        assert eventually(lambda: student.get("/api/v1/me").status_code == 200)
        assert eventually(lambda: status(student, address) == "graded")
        assert student.submit_code(SOLUTION).status_code == 201
    ours = [record for record in caplog.records if record.name.startswith(("server", "grader"))]
    assert [record.message for record in ours if record.levelno >= logging.WARNING] == [
        "The database cannot be used: it cannot be reached; start it, and look at its log."
    ]
    assert not [record for record in ours if record.exc_info]
