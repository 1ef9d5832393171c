"""Training runs by HTTP: started, listed, followed, cancelled, ranked. No worker runs but where a test says so."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from sqlmodel import select

from server.queue.timing import Timing, TrainingPace
from server.tables import AssignmentRow, Check, Role, SeatRow, TrainingRunRow
from server.training.runs import RUNS_PER_DAY
from tests.support.backward import FUNCTION
from tests.support.bodies import EMPTY_TENSORS
from tests.support.servers import FULL, SAFETENSORS, Members, RunningServer, Student, eventually, is_problem
from tests.support.training import write_run

pytestmark = [pytest.mark.parametrize("url", ["sqlite"], indirect=True)]
RUNS = "/api/v1/courses/backprop/training/runs"
RANKING = "/api/v1/courses/backprop/training/ranking"


@pytest.fixture
def timing() -> Timing:
    """Look often; chunks of ten steps."""
    pace = TrainingPace(chunk_seconds=1e9, growth=1, first_steps=10, look_seconds=0.02)
    return replace(Timing(), look_again_seconds=0.02, follow_look_seconds=0.02, training=pace)


def start(student: Student, **body: Any) -> Any:
    return student.post(RUNS, json={"source": FUNCTION} | body)


@pytest.mark.usefixtures("queue_stands_still")
def test_a_run_is_started_with_the_lectures_plan(student: Student) -> None:
    answer = start(student)

    assert answer.status_code == 201
    run = answer.json()
    assert answer.headers["location"] == f"/api/v1/training/runs/{run['id']}"
    assert {name: run[name] for name in ("status", "step", "steps", "batch", "schedule", "checked", "ranked")} == {
        "status": "queued",
        "step": 0,
        "steps": 20_000,
        "batch": 32,
        "schedule": [[0, 0.1], [10_000, 0.01]],
        "checked": "no",
        "ranked": False,
    }
    assert (run["curve"], run["final"], run["samples"], run["message"]) == ([], None, [], None)
    assert student.get(f"/api/v1/training/runs/{run['id']}").json() == run
    assert student.get(RUNS).json() == {"runs": [run]}
    assert student.get(f"/api/v1/training/runs/{run['id']}/source").text == FUNCTION


@pytest.mark.usefixtures("queue_stands_still")
def test_a_student_has_one_run_at_a_time(student: Student) -> None:
    first = start(student).json()["id"]

    refused = start(student)
    cancelled = student.post(f"/api/v1/training/runs/{first}/cancel")

    assert is_problem(refused, 409) and f"run {first} " in refused.json()["detail"]
    assert (cancelled.status_code, cancelled.json()["status"]) == (200, "cancelled")
    assert is_problem(student.post(f"/api/v1/training/runs/{first}/cancel"), 409)
    assert start(student).status_code == 201


BAD_ORDERS: list[dict[str, Any]] = [
    {"steps": 0},
    {"steps": 200_001},
    {"batch": 1},
    {"batch": 1025},
    {"schedule": []},
    {"schedule": [[1, 0.1]]},
    {"schedule": [[0, 0.1], [0, 0.2]]},
    {"schedule": [[0, 0.0]]},
    {"schedule": [[0, 11.0]]},
    {"ranked": True},
    {"ranked": True, "pseudonym": "x" * 41},
    {"ranked": True, "pseudonym": " \u200b "},
    {"ranked": True, "pseudonym": "Ada", "steps": 200_000, "batch": 33},
    {"filename": "../x.py"},
]


@pytest.mark.usefixtures("queue_stands_still")
def test_what_cannot_be_trained_is_refused(student: Student) -> None:
    answers = [start(student, **body) for body in BAD_ORDERS]

    assert all(is_problem(answer, 422) for answer in answers)
    assert student.get(RUNS).json() == {"runs": []}


@pytest.mark.usefixtures("queue_stands_still")
def test_a_long_source_is_refused(student: Student) -> None:
    assert is_problem(start(student, source="#" * 65_537), 413)


@pytest.mark.usefixtures("queue_stands_still")
def test_a_course_that_does_not_ask_for_it_does_not_train(server: RunningServer, student: Student) -> None:
    with server.services.database.writing() as session:
        session.add(AssignmentRow(course_id=1, exercise=FULL, position=0))

    assert is_problem(start(student), 404)


@pytest.mark.usefixtures("queue_stands_still")
def test_seeds_differ_by_student_and_run(server: RunningServer, student: Student) -> None:
    for each in (student, server.join("Bob")):
        for _ in range(2):
            each.post(f"/api/v1/training/runs/{start(each).json()['id']}/cancel")

    with server.services.database.reading() as session:
        seeds = session.exec(select(TrainingRunRow.seed)).all()
    assert len(set(seeds)) == 4 and all(0 <= seed < 2**63 for seed in seeds)


@pytest.mark.usefixtures("queue_stands_still")
def test_part_one_takes_code_and_no_tensors(student: Student) -> None:
    tensors = student.submit_bytes(EMPTY_TENSORS, exercise="makemore/train")
    check = student.post(
        "/api/v1/courses/backprop/exercises/makemore/train/check",
        content=EMPTY_TENSORS,
        headers={"Content-Type": SAFETENSORS},
    )

    assert is_problem(tensors, 415) and "takes code, and no tensors" in tensors.json()["detail"]
    assert check.status_code == 200  # a notebook may compare as it goes
    assert student.submit_code(FUNCTION, exercise="makemore/train", wait=0).status_code == 202


@pytest.mark.usefixtures("queue_stands_still")
def test_a_removed_student_reads_their_run_no_more(server: RunningServer, here: Members) -> None:
    id = start(here.student).json()["id"]
    with server.services.database.writing() as session:
        session.get_one(SeatRow, (1, here.student.account)).removed_at = session.get_one(TrainingRunRow, id).created_at

    assert is_problem(here.student.get(f"/api/v1/training/runs/{id}"), 404)
    assert here.instructor.get(f"/api/v1/training/runs/{id}").status_code == 200


@pytest.mark.usefixtures("queue_stands_still")
def test_an_assistant_of_another_section_does_not_see_it(server: RunningServer, here: Members) -> None:
    id = start(here.student).json()["id"]
    assistant = server.join("Tess")
    with server.services.database.writing() as session:
        seat = session.get_one(SeatRow, (1, assistant.id))
        seat.role, seat.section = Role.ASSISTANT, "B"

    assert is_problem(assistant.get(f"/api/v1/training/runs/{id}"), 404)


@pytest.mark.usefixtures("queue_stands_still")
def test_the_ranking_shows_the_best_checked_run_of_each(server: RunningServer, student: Student) -> None:
    bob = server.join("Bob")
    ranked: dict[str, Any] = {"ranked": True, "checked": Check.YES}
    with server.services.database.writing() as session:
        for account, pseudonym, loss, more in (
            (student.id, "Ada", 2.3, {}),
            (student.id, "Ada again", 2.2, {}),
            (bob.id, "Bob", 2.25, {}),
            (bob.id, "unchecked", 2.0, {"checked": Check.NO}),
            (bob.id, "wrong", 2.0, {"checked": Check.FAILED}),
            (bob.id, "over", 2.0, {"steps": 10**6}),
            (bob.id, "not ranked", 2.0, {"ranked": False}),
        ):
            write_run(session, 1, account, **ranked | {"pseudonym": pseudonym, "dev_loss": loss} | more)

    places = student.get(RANKING).json()["places"]

    assert [(each["place"], each["pseudonym"], each["dev_loss"], each["mine"]) for each in places] == [
        (1, "Ada again", 2.2, True),
        (2, "Bob", 2.25, False),
    ]
    assert (places[0]["steps"], places[0]["batch"], places[0]["schedule"]) == (100, 32, [[0, 0.1], [50, 0.01]])


@pytest.mark.usefixtures("queue_stands_still")
def test_a_run_is_followed_to_its_end(student: Student) -> None:
    id = start(student).json()["id"]

    def cancel() -> None:
        student.post(f"/api/v1/training/runs/{id}/cancel")

    answer = student.follow(id, cancel, "training/runs")

    events = [line for line in answer.text.splitlines() if line.startswith("event:")]
    assert events == ["event: chunk", "event: done"]
    assert '"status":"cancelled"' in answer.text


def test_a_server_trains_after_it_graded_what_waits(server: RunningServer, student: Student) -> None:
    sandbox = server.services.code_runner.sandbox
    order, bob = list[str](), server.join("Bob")

    def before(job: Any) -> None:
        order.append("empty" if not job.source else "answer" if job.loop is None else "chunk")
        if order.count("chunk") == 1 and "handed in" not in order and job.loop is not None:
            order.append("handed in")  # while the only worker is at work
            assert bob.submit_code("dlogits = 1", wait=0).status_code == 202

    sandbox.before = before  # type: ignore[attr-defined]
    id = start(student, steps=30, ranked=True, pseudonym="Ada").json()["id"]

    assert eventually(lambda: student.get(f"/api/v1/training/runs/{id}").json()["status"] == "done")
    run = student.get(f"/api/v1/training/runs/{id}").json()
    assert [each for each in order if each != "empty"] == ["chunk", "handed in", "answer", "chunk", "chunk"]
    assert (run["step"], run["checked"], len(run["curve"]), len(run["samples"])) == (30, "yes", 4, 20)
    assert student.get(RANKING).json()["places"][0]["mine"]
    shown = server.client.get("/metrics").text
    assert "dojo_training_steps_total 30.0" in shown
    assert 'dojo_training_replays_total{outcome="agreed"} 3.0' in shown


@pytest.mark.usefixtures("queue_stands_still")
def test_a_student_begins_so_many_runs_within_a_day(server: RunningServer, student: Student) -> None:
    with server.services.database.writing() as session:
        for _ in range(RUNS_PER_DAY - 1):
            write_run(session, 1, student.account)
    last = start(student)
    student.post(f"/api/v1/training/runs/{last.json()['id']}/cancel")

    refused = start(student)

    assert last.status_code == 201
    assert is_problem(refused, 429) and 86_000 < int(refused.headers["Retry-After"]) <= 86_400


@pytest.mark.usefixtures("queue_stands_still")
def test_nobody_is_ranked_as_somebody_else(server: RunningServer, student: Student) -> None:
    other = server.join("Bob Miller")
    start(other, ranked=True, pseudonym="Gradient Queen")

    for name in ("Bob Miller", "bob  rniller", "Gradient Qu\u0435en"):
        assert is_problem(start(student, ranked=True, pseudonym=name), 409)

    assert start(student, ranked=True, pseudonym="Gradient King").status_code == 201
    other.post("/api/v1/training/runs/1/cancel")
    assert start(other, ranked=True, pseudonym="Gradient Queen").status_code == 201
