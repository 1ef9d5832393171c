"""The dispatcher: at least once, faults retried and never graded, what cannot be graded set aside."""

from __future__ import annotations

import threading

import pytest
from sqlmodel import select
from starlette.testclient import TestClient

from grader.sandbox import Job, Sandbox, SandboxFault
from grader.sandbox.trusted.doctor import Finding, Report
from server.app import create_app
from server.db import Database
from server.dispatch import embedded
from server.models import ComparisonRow, Grade, Progress, Submission, Ticket, TicketState
from server.settings import Settings
from server.workshop import Workshop
from tests.server.house import SOLUTION, House, Straw, Student, eventually, gradients, is_problem


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Try again at once."""
    monkeypatch.setattr(embedded, "PAUSE", embedded.PAUSE * 0)
    monkeypatch.setattr(embedded, "LOOK_AGAIN_SECONDS", 0.05)
    monkeypatch.setattr(embedded, "INSPECT_AGAIN_SECONDS", 0.05)


def tickets(database: Database) -> list[Ticket]:
    """What remains to be done."""
    with database.reading() as session:
        return list(session.exec(select(Ticket)))


def test_what_was_queued_or_half_graded_is_taken_up_at_the_next_start(
    house: House, straw: Straw, settings: Settings
) -> None:
    ada = house.join()
    straw.before = lambda job: _lost(job) if job.source else None  # what asks whether any code can be run has none
    ids = [ada.submit_code(SOLUTION, wait=0).json()["id"] for _ in range(3)]
    house.services.dispatcher.stop()
    with house.services.database.writing() as session:
        for ticket in session.exec(select(Ticket)):
            ticket.state, ticket.tries = TicketState.QUEUED, 0
        # As a process leaves it that is killed while it runs the first.
        session.exec(select(Ticket).where(Ticket.submission_id == ids[0])).one().state = TicketState.RUNNING
    straw.before = lambda job: None
    with TestClient(create_app(settings, straw.workshop())) as client:
        ada.client = client
        assert eventually(lambda: not tickets(house.services.database))
        grades = [ada.get(f"/api/v1/submissions/{id}").json()["grade"]["exact"] for id in ids]
    assert grades == [26, 26, 26]


def test_a_run_lost_to_the_sandbox_is_tried_again_and_never_graded(house: House, straw: Straw, ada: Student) -> None:
    losses = iter([True, True])

    def lose_twice(job: Job) -> None:
        if job.source and next(losses, False):
            raise SandboxFault("the zygote died")

    straw.before = lose_twice
    answer = ada.submit_code(SOLUTION)
    assert answer.status_code == 201
    assert answer.json()["grade"]["exact"] == 26
    with house.services.database.reading() as session:
        assert len(session.exec(select(Grade)).all()) == 1


def test_a_submission_whose_runs_are_lost_every_time_is_set_aside(house: House, straw: Straw, ada: Student) -> None:
    straw.before = lambda job: _lost(job) if "poison" in job.source else None
    poisoned = ada.submit_code("poison = 1", wait=0).json()
    healthy = ada.submit_code(SOLUTION)
    assert healthy.json()["grade"]["exact"] == 26
    address = f"/api/v1/submissions/{poisoned['id']}"
    assert eventually(lambda: ada.get(address).json()["status"] == "quarantined")
    assert ada.get(address).json()["grade"] is None
    assert sum("poison" in job.source for job in straw.jobs) == embedded.MOST_TRIES
    assert "zygote" in (tickets(house.services.database)[0].reason or "")


def test_a_submission_that_killed_its_workers_is_set_aside_without_another_run(
    house: House, straw: Straw, settings: Settings
) -> None:
    ada = house.join()
    house.services.dispatcher.stop()
    id = ada.submit_code("poison = 1", wait=0).json()["id"]
    with house.services.database.writing() as session:
        ticket = session.exec(select(Ticket)).one()
        ticket.state, ticket.tries = TicketState.RUNNING, embedded.MOST_TRIES
    with TestClient(create_app(settings, straw.workshop())) as client:
        ada.client = client
        assert eventually(lambda: ada.get(f"/api/v1/submissions/{id}").json()["status"] == "quarantined")
    assert not any("poison" in job.source for job in straw.jobs)


def test_graded_twice_counts_once(house: House, ada: Student) -> None:
    id = ada.submit_code(SOLUTION).json()["id"]
    house.services.grading.grade_submission(id)
    with house.services.database.reading() as session:
        assert len(session.exec(select(Grade)).all()) == 1
        assert len(session.exec(select(ComparisonRow)).all()) == 26
        assert {each.attempts for each in session.exec(select(Progress))} == {1}


def test_when_the_sandbox_is_down_tensors_are_graded_and_code_is_refused_unkept(
    house: House, straw: Straw, ada: Student
) -> None:
    straw.before = _lost
    assert house.services.workshop.inspect() == "the zygote died"
    refused = ada.submit_code(SOLUTION)
    assert is_problem(refused, 503)
    assert "the zygote died" in refused.json()["detail"]
    assert refused.headers["Retry-After"]
    assert ada.submit_tensors(gradients(ada.state())).status_code == 201
    health = house.client.get("/readyz")
    assert (health.status_code, health.json()["checks"]["sandbox"]) == (503, "the zygote died")
    with house.services.database.reading() as session:
        assert len(session.exec(select(Submission)).all()) == 1
    straw.before = lambda job: None
    assert eventually(lambda: house.client.get("/readyz").status_code == 200)
    assert ada.submit_code(SOLUTION).json()["grade"]["exact"] == 26


def test_a_run_lost_while_no_code_can_be_run_does_not_count(house: House, straw: Straw, ada: Student) -> None:
    straw.before = _lost
    answer = ada.submit_code(SOLUTION, wait=0)
    assert answer.status_code == 202
    assert eventually(lambda: len(straw.jobs) > 2 * embedded.MOST_TRIES)
    assert [(each.state, each.tries) for each in tickets(house.services.database)] == [(TicketState.QUEUED, 0)]
    straw.before = lambda job: None
    address = answer.headers["Location"]
    assert eventually(lambda: ada.get(address).json()["status"] == "graded")


def test_a_server_without_a_sandbox_starts_and_says_why(settings: Settings) -> None:
    def none_here() -> Sandbox:
        raise SandboxFault("this kernel has no seccomp")

    with TestClient(create_app(settings, Workshop(none_here))) as client:
        assert client.get("/healthz").status_code == 200
        expected = {"database": "ok", "migrations": "ok", "sandbox": "this kernel has no seccomp"}
        assert eventually(lambda: client.get("/readyz").json()["checks"] == expected)


def test_no_code_is_run_where_the_doctor_finds_a_lock_that_does_not_hold(straw: Straw) -> None:
    reports = iter([Report((Finding("files", ok=False, required=True, detail=""),)), Report(())])
    workshop = Workshop(lambda: straw, lambda sandbox: next(reports))
    assert workshop.inspect() == "locks that do not hold: files; see python -m server doctor"
    assert not workshop.ready()
    straw.generation_now += 1  # another zygote: the doctor is asked again
    assert workshop.ready()
    assert workshop.inspect() is None


def test_stopping_finishes_what_is_running(house: House, straw: Straw, ada: Student) -> None:
    running, gate = threading.Event(), threading.Event()

    def hold(job: Job) -> None:
        running.set()
        gate.wait(20)

    straw.before = hold
    first, second = (ada.submit_code(SOLUTION, wait=0).json()["id"] for _ in range(2))
    assert running.wait(20)
    threading.Timer(0.2, gate.set).start()
    house.services.dispatcher.stop()
    with house.services.database.reading() as session:
        assert [each.submission_id for each in session.exec(select(Grade))] == [first]
        assert [each.submission_id for each in session.exec(select(Ticket))] == [second]
        assert house.services.dispatcher.depth(session) == 1


def _lost(job: Job) -> None:
    raise SandboxFault("the zygote died")
