"""Taking out, setting aside, releasing, following; how fast a student may hand in."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlmodel import select
from starlette.testclient import TestClient

from grader.sandbox import Job, SandboxFault
from server.database.table import now
from server.queue.timing import Timing
from server.settings import Settings
from server.tables import SubmissionRow
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

pytestmark = pytest.mark.parametrize("url", ["sqlite"], indirect=True)


@pytest.fixture
def timing() -> Timing:
    """Try again at once."""
    return IMPATIENT


@pytest.fixture
def gate(fake_sandbox: FakeSandbox) -> Iterator[threading.Event]:
    """Runs wait until this is set."""
    found = threading.Event()

    def hold(job: Job) -> None:
        if job.source:
            found.wait(HOLD_SECONDS)

    fake_sandbox.before = hold
    yield found
    found.set()


def post(student: Student, path: str) -> int:
    """The status of a POST without a body."""
    answer = student.client.post(path, headers={"Authorization": f"Bearer {student.token}"})
    return answer.status_code if answer.status_code < 400 or is_problem(answer, answer.status_code) else -1


def hand_in(student: Student) -> int:
    """Hand in code without waiting; its id."""
    return int(student.submit_code(SOLUTION, wait=0).json()["id"])


def test_what_waits_is_told_its_place_and_cancelled_by_its_owner_alone(
    server: RunningServer, gate: threading.Event, student: Student
) -> None:
    first = hand_in(student)
    assert eventually(lambda: student.get(f"/api/v1/submissions/{first}").json()["status"] == "running")
    told = student.submit_code(SOLUTION, wait=0).json()
    assert (told["status"], told["place"]) == ("queued", 1)
    assert told["estimate"] >= 1
    address = f"/api/v1/submissions/{told['id']}/cancel"
    assert post(server.join("Ben"), address) == 404
    assert post(student, f"/api/v1/submissions/{first}/cancel") == 409
    assert post(student, address) == 200
    assert post(student, address) == 409
    assert student.get(f"/api/v1/submissions/{told['id']}").json()["status"] == "cancelled"


def test_what_is_set_aside_is_seen_and_released_by_staff_alone(
    server: RunningServer, fake_sandbox: FakeSandbox, student: Student
) -> None:
    def lose(job: Job) -> None:
        if job.source:
            raise SandboxFault("the zygote died")

    fake_sandbox.before = lose
    id = hand_in(student)
    queue = "/api/v1/courses/backprop/queue"
    assert eventually(lambda: bool(server.instructor.get(queue).json()["quarantined"]))
    found = server.instructor.get(queue).json()
    assert found["depth"] == 0
    assert found["quarantined"] == [
        {
            "submission": id,
            "student": student.id,
            "exercise": "makemore/full-backward",
            "tries": 3,
            "reason": "the zygote died",
        }
    ]
    fake_sandbox.before = lambda job: None
    assert is_problem(student.get(queue), 403)
    assert post(student, f"/api/v1/submissions/{id}/release") == 403
    assert post(server.instructor, f"/api/v1/submissions/{id}/release") == 200
    assert eventually(lambda: student.get(f"/api/v1/submissions/{id}").json()["status"] == "graded")
    assert post(server.instructor, f"/api/v1/submissions/{id}/release") == 409


def test_a_submission_is_followed_until_its_grade(
    server: RunningServer, gate: threading.Event, student: Student
) -> None:
    id = hand_in(student)

    answer = student.follow(id, at_first_event=gate.set)

    assert answer.headers["content-type"].startswith("text/event-stream")
    told = [json.loads(line[6:]) for line in answer.text.splitlines() if line.startswith("data: ")]
    assert told[0]["status"] in ("queued", "running")
    assert told[-1]["grade"]["exact"] == 26
    assert is_problem(server.join("Ben").get(f"/api/v1/submissions/{id}/events"), 404)


@pytest.fixture
def slow(server: RunningServer, settings: Settings, fake_sandbox: FakeSandbox) -> Iterator[TestClient]:
    """A second server on the same database, which takes two submissions a minute from a student."""
    limited = settings.model_copy(update={"submissions_per_minute": 2})
    with TestClient(
        create_app(limited, fake_sandbox.code_runner(), IMPATIENT), raise_server_exceptions=False
    ) as client:
        yield client


def set_age(server: RunningServer, seconds: float) -> None:
    """Say of every submission that it was handed in so long ago."""
    with server.services.database.writing() as session:
        for submission in session.exec(select(SubmissionRow)):
            submission.created_at = now() - timedelta(seconds=seconds)


def test_who_hands_in_too_fast_is_told_when_to_come_back(server: RunningServer, slow: TestClient) -> None:
    tensors = gradients(server.join("Cy").state())
    student, ben = server.join("Ada"), server.join("Ben")
    student.client = ben.client = slow
    key = {"Idempotency-Key": "one"}

    assert student.submit_code(SOLUTION, headers=key).status_code == 201
    assert student.submit_code(SOLUTION).status_code == 201
    for refused in (student.submit_code(SOLUTION), student.submit_tensors(tensors)):
        assert is_problem(refused, 429)
        assert 1 <= int(refused.headers["Retry-After"]) <= 60
    again = student.submit_code(SOLUTION, headers=key)
    other = ben.submit_code(SOLUTION)

    assert (again.status_code, other.status_code) == (201, 201)
    with server.services.database.reading() as session:
        assert len(session.exec(select(SubmissionRow)).all()) == 3


def test_the_pace_is_that_of_the_last_minute(server: RunningServer, slow: TestClient, student: Student) -> None:
    student.client = slow
    for _ in range(2):
        assert student.submit_code(SOLUTION).status_code == 201

    set_age(server, 40)
    refused = student.submit_code(SOLUTION)
    set_age(server, 61)
    taken = [student.submit_code(SOLUTION).status_code for _ in range(3)]

    assert is_problem(refused, 429)
    assert 10 < int(refused.headers["Retry-After"]) <= 20
    assert taken == [201, 201, 429]
