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
from server.app import create_app
from server.models import Submission
from server.settings import Settings
from server.timing import Timing
from tests.server.house import IMPATIENT, SOLUTION, House, Straw, Student, eventually, gradients, is_problem

pytestmark = pytest.mark.parametrize("url", ["sqlite"], indirect=True)


@pytest.fixture
def timing() -> Timing:
    """Try again at once."""
    return IMPATIENT


@pytest.fixture
def gate(straw: Straw) -> Iterator[threading.Event]:
    """Runs wait until this is set."""
    found = threading.Event()

    def hold(job: Job) -> None:
        if job.source:
            found.wait(20)

    straw.before = hold
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
    house: House, gate: threading.Event, ada: Student
) -> None:
    first = hand_in(ada)
    assert eventually(lambda: ada.get(f"/api/v1/submissions/{first}").json()["status"] == "running")
    told = ada.submit_code(SOLUTION, wait=0).json()
    assert (told["status"], told["place"]) == ("queued", 1)
    assert told["estimate"] >= 1
    address = f"/api/v1/submissions/{told['id']}/cancel"
    assert post(house.join("Ben"), address) == 404
    assert post(ada, f"/api/v1/submissions/{first}/cancel") == 409
    assert post(ada, address) == 200
    assert post(ada, address) == 409
    assert ada.get(f"/api/v1/submissions/{told['id']}").json()["status"] == "cancelled"


def test_what_is_set_aside_is_seen_and_released_by_staff_alone(house: House, straw: Straw, ada: Student) -> None:
    def lose(job: Job) -> None:
        if job.source:
            raise SandboxFault("the zygote died")

    straw.before = lose
    id = hand_in(ada)
    queue = "/api/v1/courses/backprop/queue"
    assert eventually(lambda: bool(house.instructor.get(queue).json()["quarantined"]))
    found = house.instructor.get(queue).json()
    assert found["depth"] == 0
    assert found["quarantined"] == [
        {
            "submission": id,
            "student": ada.id,
            "exercise": "makemore/full-backward",
            "tries": 3,
            "reason": "the zygote died",
        }
    ]
    straw.before = lambda job: None
    assert is_problem(ada.get(queue), 403)
    assert post(ada, f"/api/v1/submissions/{id}/release") == 403
    assert post(house.instructor, f"/api/v1/submissions/{id}/release") == 200
    assert eventually(lambda: ada.get(f"/api/v1/submissions/{id}").json()["status"] == "graded")
    assert post(house.instructor, f"/api/v1/submissions/{id}/release") == 409


def test_a_submission_is_followed_until_its_grade(house: House, gate: threading.Event, ada: Student) -> None:
    id = hand_in(ada)
    threading.Timer(0.5, gate.set).start()
    answer = ada.get(f"/api/v1/submissions/{id}/events")
    assert answer.headers["content-type"].startswith("text/event-stream")
    told = [json.loads(line[6:]) for line in answer.text.splitlines() if line.startswith("data: ")]
    assert told[0]["status"] in ("queued", "running")
    assert told[-1]["grade"]["exact"] == 26
    assert is_problem(house.join("Ben").get(f"/api/v1/submissions/{id}/events"), 404)


@pytest.fixture
def slow(house: House, settings: Settings, straw: Straw) -> Iterator[TestClient]:
    """A second server on the same database, which takes two submissions a minute from a student."""
    limited = settings.model_copy(update={"submissions_per_minute": 2})
    with TestClient(create_app(limited, straw.workshop(), IMPATIENT), raise_server_exceptions=False) as client:
        yield client


def make_older(house: House, seconds: float) -> None:
    """As if everything so far had been handed in earlier by so many seconds."""
    with house.services.database.writing() as session:
        for submission in session.exec(select(Submission)):
            submission.created_at -= timedelta(seconds=seconds)


def test_who_hands_in_too_fast_is_told_when_to_come_back(house: House, slow: TestClient) -> None:
    tensors = gradients(house.join("Cy").state())
    ada, ben = house.join("Ada"), house.join("Ben")
    ada.client = ben.client = slow
    key = {"Idempotency-Key": "one"}

    assert ada.submit_code(SOLUTION, headers=key).status_code == 201
    assert ada.submit_code(SOLUTION).status_code == 201
    for refused in (ada.submit_code(SOLUTION), ada.submit_tensors(tensors)):
        assert is_problem(refused, 429)
        assert 1 <= int(refused.headers["Retry-After"]) <= 60
    again = ada.submit_code(SOLUTION, headers=key)
    other = ben.submit_code(SOLUTION)

    assert (again.status_code, other.status_code) == (201, 201)
    with house.services.database.reading() as session:
        assert len(session.exec(select(Submission)).all()) == 3


def test_the_pace_is_that_of_the_last_minute(house: House, slow: TestClient, ada: Student) -> None:
    ada.client = slow
    for _ in range(2):
        assert ada.submit_code(SOLUTION).status_code == 201

    make_older(house, 40)
    refused = ada.submit_code(SOLUTION)
    make_older(house, 21)
    taken = [ada.submit_code(SOLUTION).status_code for _ in range(3)]

    assert is_problem(refused, 429)
    assert 10 < int(refused.headers["Retry-After"]) <= 20
    assert taken == [201, 201, 429]
