"""What ``/metrics`` counts, and that it answers when the database does not."""

from __future__ import annotations

import re

import pytest
import safetensors.torch

from grader.sandbox import Job, SandboxFault
from server.database.engine import Database
from server.database.outage import DatabaseUnavailable
from server.metrics import Metrics
from server.operations.state_metrics import QueueCollector
from server.queue.timing import Timing
from tests.support.servers import (
    EXERCISES,
    FULL,
    IMPATIENT,
    SAFETENSORS,
    SOLUTION,
    FakeSandbox,
    RunningServer,
    Student,
    eventually,
    gradients,
)


@pytest.fixture
def timing() -> Timing:
    """Try again at once."""
    return IMPATIENT


def value(server: RunningServer, sample: str) -> float:
    """The value of a sample, by its name and labels; 0 if there is none."""
    answer = server.client.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=")
    found = re.search(rf"^{re.escape(sample)} (\S+)$", answer.text, re.MULTILINE)
    return float(found[1]) if found else 0


def test_grades_are_counted_by_kind_and_outcome(server: RunningServer, student: Student) -> None:
    assert student.submit_tensors(gradients(student.state())).status_code == 201
    assert student.submit_code(SOLUTION).status_code == 201
    assert student.submit_code("1 / 0").status_code == 201

    assert value(server, 'dojo_grades_total{kind="tensors",outcome="compared"}') == 1
    assert value(server, 'dojo_grades_total{kind="code",outcome="ok"}') == 1
    assert value(server, 'dojo_grades_total{kind="code",outcome="error"}') == 1
    assert value(server, 'dojo_grading_seconds_count{phase="grade"}') == 3
    assert value(server, 'dojo_grading_seconds_count{phase="wait"}') == 2
    assert value(server, 'dojo_grading_seconds_count{phase="store"}') == 2


def test_live_checks_are_counted_by_kind_and_outcome(
    server: RunningServer, student: Student, fake_sandbox: FakeSandbox
) -> None:
    def check(source: str) -> int:
        return student.post(f"{EXERCISES}/{FULL}/check", json={"filename": "a.py", "source": source}).status_code

    def lose(job: Job) -> None:
        raise SandboxFault("gone")

    assert student.submit_tensors(gradients(student.state())).status_code == 201
    content = safetensors.torch.save(gradients(student.state()))
    tensors = student.post(f"{EXERCISES}/{FULL}/check", content=content, headers={"Content-Type": SAFETENSORS})
    assert [tensors.status_code, check(SOLUTION), check("1 / 0")] == [200, 200, 200]
    fake_sandbox.before = lose
    assert check(SOLUTION) == 503

    assert value(server, 'dojo_check_seconds_count{kind="tensors",outcome="compared"}') == 1
    assert value(server, 'dojo_check_seconds_count{kind="code",outcome="ok"}') == 1
    assert value(server, 'dojo_check_seconds_count{kind="code",outcome="error"}') == 1
    assert value(server, 'dojo_check_seconds_count{kind="code",outcome="no room"}') == 1
    assert value(server, 'dojo_grades_total{kind="tensors",outcome="compared"}') == 1


def test_requests_are_counted_by_route_and_status(server: RunningServer, student: Student) -> None:
    student.get("/api/v1/me")
    student.get("/api/v1/me/nowhere")

    assert value(server, 'dojo_request_seconds_count{route="me",status="200"}') == 1
    assert value(server, 'dojo_request_seconds_count{route="none",status="404"}') == 1


def test_the_queue_is_shown_by_state_with_its_oldest(
    server: RunningServer, student: Student, fake_sandbox: FakeSandbox
) -> None:
    def lose(job: Job) -> None:
        if job.source:
            raise SandboxFault("gone")

    fake_sandbox.before = lose

    student.submit_code(SOLUTION, wait=0)

    assert eventually(lambda: value(server, 'dojo_queue_tickets{state="quarantined"}') == 1)
    assert value(server, 'dojo_faults_total{kind="SandboxFault"}') == 3
    assert value(server, "dojo_queue_oldest_seconds") == 0
    assert value(server, "dojo_database_up") == 1


def test_a_database_that_is_down_is_a_value(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    metrics = Metrics()
    metrics.server_registry.register(QueueCollector(database))
    assert metrics.server_registry.get_sample_value("dojo_database_up") == 1

    def refuse() -> None:
        raise DatabaseUnavailable("It is away. Start it.")

    monkeypatch.setattr(database, "reading", refuse)

    assert metrics.server_registry.get_sample_value("dojo_database_up") == 0
    assert metrics.server_registry.get_sample_value("dojo_queue_oldest_seconds") is None
