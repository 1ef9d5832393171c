"""The dispatcher: at least once, faults retried and never graded, what cannot be graded set aside."""

from __future__ import annotations

import logging
import threading
from dataclasses import replace

import pytest
from sqlmodel import select
from starlette.testclient import TestClient

from grader.sandbox import Job, Sandbox, SandboxFault
from grader.sandbox.trusted.doctor import Finding, Report
from server.database.engine import Database
from server.database.table import now
from server.grading.code_runner import CodeRunner
from server.grading.grade import FreshGrade
from server.processes.peers import Peers
from server.queue.dispatcher import STOPPING
from server.queue.embedded import EmbeddedDispatcher
from server.queue.leases import LeaseKeeper
from server.queue.queries import TRIES_MAX
from server.queue.timing import Timing
from server.settings import Settings
from server.tables import ComparisonRow, GradeRow, ProgressRow, SubmissionRow, TicketRow, TicketState
from tests.support.application import create_app
from tests.support.servers import (
    HOLD_SECONDS,
    IMPATIENT,
    SOLUTION,
    FakeSandbox,
    RunningServer,
    Student,
    eventually,
    gradients,
    is_problem,
)


@pytest.fixture
def timing() -> Timing:
    """Try again at once."""
    return IMPATIENT


def tickets(database: Database) -> list[TicketRow]:
    """What remains to be done."""
    with database.reading() as session:
        return list(session.exec(select(TicketRow)))


def test_what_was_queued_or_half_graded_is_taken_up_at_the_next_start(
    server: RunningServer, fake_sandbox: FakeSandbox, settings: Settings
) -> None:
    student = server.join()
    fake_sandbox.before = lambda job: (
        _lost(job) if job.source else None
    )  # what asks whether any code can be run has none
    ids = [student.submit_code(SOLUTION, wait=0).json()["id"] for _ in range(3)]
    server.services.dispatcher.stop()
    with server.services.database.writing() as session:
        for ticket in session.exec(select(TicketRow)):
            ticket.state, ticket.tries = TicketState.QUEUED, 0
        # As a process leaves it that is killed while it runs the first.
        session.exec(select(TicketRow).where(TicketRow.submission_id == ids[0])).one().state = TicketState.RUNNING
    fake_sandbox.before = lambda job: None
    with TestClient(create_app(settings, fake_sandbox.code_runner(), IMPATIENT)) as client:
        student.client = client
        assert eventually(lambda: not tickets(server.services.database))
        grades = [student.get(f"/api/v1/submissions/{id}").json()["grade"]["exact"] for id in ids]
    assert grades == [26, 26, 26]


def test_a_run_lost_to_the_sandbox_is_tried_again_and_never_graded(
    server: RunningServer, fake_sandbox: FakeSandbox, student: Student
) -> None:
    losses = iter([True, True])

    def lose_twice(job: Job) -> None:
        if job.source and next(losses, False):
            raise SandboxFault("the zygote died")

    fake_sandbox.before = lose_twice
    answer = student.submit_code(SOLUTION)
    assert answer.status_code == 201
    assert answer.json()["grade"]["exact"] == 26
    with server.services.database.reading() as session:
        assert len(session.exec(select(GradeRow)).all()) == 1


def test_a_submission_whose_runs_are_lost_every_time_is_set_aside(
    server: RunningServer, fake_sandbox: FakeSandbox, student: Student
) -> None:
    fake_sandbox.before = lambda job: _lost(job) if "poison" in job.source else None
    poisoned = student.submit_code("poison = 1", wait=0).json()
    healthy = student.submit_code(SOLUTION)
    assert healthy.json()["grade"]["exact"] == 26
    address = f"/api/v1/submissions/{poisoned['id']}"
    assert eventually(lambda: student.get(address).json()["status"] == "quarantined")
    assert student.get(address).json()["grade"] is None
    assert sum("poison" in job.source for job in fake_sandbox.jobs) == TRIES_MAX
    assert "zygote" in (tickets(server.services.database)[0].reason or "")


def test_a_submission_that_killed_its_workers_is_set_aside_without_another_run(
    server: RunningServer, fake_sandbox: FakeSandbox, settings: Settings
) -> None:
    student = server.join()
    server.services.dispatcher.stop()
    id = student.submit_code("poison = 1", wait=0).json()["id"]
    with server.services.database.writing() as session:
        ticket = session.exec(select(TicketRow)).one()
        ticket.state, ticket.tries = TicketState.RUNNING, TRIES_MAX
    with TestClient(create_app(settings, fake_sandbox.code_runner(), IMPATIENT)) as client:
        student.client = client
        assert eventually(lambda: student.get(f"/api/v1/submissions/{id}").json()["status"] == "quarantined")
    assert not any("poison" in job.source for job in fake_sandbox.jobs)


def test_graded_twice_counts_once(server: RunningServer, student: Student) -> None:
    id = student.submit_code(SOLUTION).json()["id"]
    server.services.grading.grade_submission(id)
    with server.services.database.reading() as session:
        assert len(session.exec(select(GradeRow)).all()) == 1
        assert len(session.exec(select(ComparisonRow)).all()) == 26
        assert {each.attempts for each in session.exec(select(ProgressRow))} == {1}


def test_when_the_sandbox_is_down_tensors_are_graded_and_code_is_refused_unkept(
    server: RunningServer, fake_sandbox: FakeSandbox, student: Student
) -> None:
    fake_sandbox.before = _lost
    assert server.services.code_runner.inspect() == "the zygote died"
    refused = student.submit_code(SOLUTION)
    assert is_problem(refused, 503)
    assert "the zygote died" in refused.json()["detail"]
    assert refused.headers["Retry-After"]
    assert student.submit_tensors(gradients(student.state())).status_code == 201
    health = server.client.get("/readyz")
    assert (health.status_code, health.json()["checks"]["sandbox"]) == (503, "the zygote died")
    with server.services.database.reading() as session:
        assert len(session.exec(select(SubmissionRow)).all()) == 1
    fake_sandbox.before = lambda job: None
    assert eventually(lambda: server.client.get("/readyz").status_code == 200)
    assert student.submit_code(SOLUTION).json()["grade"]["exact"] == 26


def test_a_run_lost_while_no_code_can_be_run_does_not_count(
    server: RunningServer, fake_sandbox: FakeSandbox, student: Student
) -> None:
    fake_sandbox.before = _lost
    answer = student.submit_code(SOLUTION, wait=0)
    assert answer.status_code == 202
    assert eventually(lambda: len(fake_sandbox.jobs) > 2 * TRIES_MAX)
    untried = [(TicketState.QUEUED, 0)]  # given back by the run that began before the sandbox was known to be lost
    assert eventually(lambda: [(each.state, each.tries) for each in tickets(server.services.database)] == untried)
    fake_sandbox.before = lambda job: None
    address = answer.headers["Location"]
    assert eventually(lambda: student.get(address).json()["status"] == "graded")


def test_what_came_with_a_grade_is_given_back_where_no_code_runs_any_more(
    server: RunningServer, fake_sandbox: FakeSandbox, student: Student
) -> None:
    is_queued, is_lost = threading.Event(), threading.Event()

    def lose_the_zygote(job: Job) -> None:
        if job.source:
            is_queued.wait(HOLD_SECONDS)
            fake_sandbox.generation_now += 1  # after this run
            is_lost.set()
        elif is_lost.is_set():
            _lost(job)

    fake_sandbox.before = lose_the_zygote
    first = student.submit_code(SOLUTION, wait=0).headers["Location"]
    assert eventually(lambda: [job.source for job in fake_sandbox.jobs if job.source] == [SOLUTION])
    second = server.join("Ben").submit_code(f"# b\n{SOLUTION}", wait=0)
    is_queued.set()

    assert eventually(lambda: student.get(first).json()["status"] == "graded")
    untried = [(TicketState.QUEUED, 0)]
    assert eventually(lambda: [(each.state, each.tries) for each in tickets(server.services.database)] == untried)
    assert not any(job.source.startswith("# b") for job in fake_sandbox.jobs)
    fake_sandbox.before = lambda job: None
    assert eventually(lambda: server.instructor.get(second.headers["Location"]).json()["status"] == "graded")


@pytest.mark.parametrize("timing", [replace(IMPATIENT, retry_seconds=60)])
def test_a_worker_that_is_to_stop_takes_nothing_with_its_last_grade(
    server: RunningServer, fake_sandbox: FakeSandbox, student: Student, caplog: pytest.LogCaptureFixture
) -> None:
    def hold(job: Job) -> None:
        if job.source:
            assert eventually(lambda: STOPPING in caplog.text)

    fake_sandbox.before = hold
    caplog.set_level(logging.INFO)
    student.submit_code(SOLUTION, wait=0)
    assert eventually(lambda: any(job.source for job in fake_sandbox.jobs))
    second = server.join("Ben").submit_code(SOLUTION, wait=0).json()["id"]

    server.services.dispatcher.stop()

    (ticket,) = tickets(server.services.database)
    assert (ticket.submission_id, ticket.state, ticket.tries) == (second, TicketState.QUEUED, 0)
    assert ticket.due_at <= now()  # it was not even taken and given back


def test_a_worker_that_is_told_to_stop_after_its_grade_gives_the_next_ticket_back(
    server: RunningServer, student: Student, caplog: pytest.LogCaptureFixture
) -> None:
    services = server.services
    services.dispatcher.stop()
    for each in (student, server.join("Ben")):
        each.submit_code(SOLUTION, wait=0)
    states: list[TicketState] = []

    def stop(submission_id: int, grade: FreshGrade | None) -> None:
        states.extend(ticket.state for ticket in tickets(services.database))
        stopper.start()
        assert eventually(lambda: STOPPING in caplog.text)

    runner, timing = services.code_runner, services.timing
    leases = LeaseKeeper(services.database, services.grading, runner, stop, timing, services.metrics)
    background = services.make_training_work()
    worker = EmbeddedDispatcher(services.database, runner, leases, 1, timing, Peers.alone(), background)
    stopper = threading.Thread(target=worker.stop)
    caplog.set_level(logging.INFO)
    caplog.clear()

    worker.start()

    assert eventually(lambda: stopper.ident is not None and not stopper.is_alive())
    assert states == [TicketState.RUNNING]
    assert [(each.state, each.tries) for each in tickets(services.database)] == [(TicketState.QUEUED, 0)]


def test_a_server_without_a_sandbox_starts_and_says_why(settings: Settings) -> None:
    def none_here() -> Sandbox:
        raise SandboxFault("this kernel has no seccomp")

    with TestClient(create_app(settings, CodeRunner(none_here), IMPATIENT)) as client:
        assert client.get("/healthz").status_code == 200
        sandbox = "this kernel has no seccomp"
        expected = {"database": "ok", "migrations": "ok", "sandbox": sandbox, "threads": "ok"}
        assert eventually(lambda: client.get("/readyz").json()["checks"] == expected)


def test_no_code_is_run_where_the_doctor_finds_a_lock_that_does_not_hold(fake_sandbox: FakeSandbox) -> None:
    reports = iter([Report((Finding("files", ok=False, required=True, detail=""),)), Report(())])
    code_runner = CodeRunner(lambda: fake_sandbox, lambda sandbox: next(reports))
    assert code_runner.inspect() == "locks that do not hold: files; see python -m server doctor"
    assert not code_runner.is_ready()
    fake_sandbox.generation_now += 1  # another zygote: the doctor is asked again
    assert code_runner.is_ready()
    assert code_runner.inspect() is None


def _lost(job: Job) -> None:
    raise SandboxFault("the zygote died")
