"""What is asked, and the numbers to answer it on."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import safetensors.torch
from sqlmodel import select

from dojo.tensors import load
from exercises.instance import Instance, Kind
from exercises.registry import find
from server.courses import courses
from server.instances.store import InstanceStore
from server.tables import AssignmentRow, ExtensionRow, InstanceRow, LatePolicy
from tests.support.packs import default_exercises
from tests.support.servers import EXERCISES, FULL, SAFETENSORS, Members, RunningServer, is_problem

LOSS = "makemore/cross-entropy"


def test_the_list_holds_the_catalogue_with_nothing_done_yet(server: RunningServer) -> None:
    listed = server.join().get(EXERCISES).json()["exercises"]
    assert [each["slug"] for each in listed] == list(default_exercises())
    assert listed[0] == {
        "slug": FULL,
        "revision": 1,
        "title": find(FULL).title,
        "summary": find(FULL).summary,
        "attempts": 0,
        "feedback": "shown",
        "shown_when": None,
        "passed": 0,
        "exact": 0,
        "total": 26,
        "is_assigned": True,
        "time_zone": "UTC",
        "opens_at": None,
        "due_at": None,
        "late": None,
        "answers": "open",
        "attempts_left": None,
        "points": 26,
        "proved": None,
    }


def test_an_exercise_tells_what_its_steps_are_and_where_the_lecture_derives_them(server: RunningServer) -> None:
    told = server.join().get(f"{EXERCISES}/{FULL}").json()
    assert told["statement"] == find(FULL).statement
    assert "logits = h @ W2 + b2" in told["forward"]
    assert told["constants"]["n"] == 32
    assert told["checkpoints"][0] == {
        "name": "logprobs",
        "shape": [32, 27],
        "lecture_start": 781,
        "lecture_end": 1145,
        "lecture_url": "https://www.youtube.com/watch?v=q8SA3rM6ckI&t=781s",
        "best": None,
        "attempts": 0,
        "first_passed_at": None,
    }


def test_client_and_server_agree_on_constants(server: RunningServer) -> None:
    student = server.join()
    described = student.get(f"{EXERCISES}/{FULL}").json()["constants"]

    variables = load(student.state())

    assert {name: value for name, value in variables.items() if isinstance(value, int)} == described


def test_the_state_is_the_instance_that_was_described(server: RunningServer) -> None:
    student = server.join()
    described = student.get(f"{EXERCISES}/{FULL}/instance").json()
    answer = student.get(f"{EXERCISES}/{FULL}/instance/state")
    assert answer.headers["content-type"] == SAFETENSORS
    assert hashlib.sha256(answer.content).hexdigest() == described["digest"]
    tensors = safetensors.torch.load(answer.content)
    assert set(tensors) == set(described["tensors"])
    assert described["tensors"]["logprobs"] == {"shape": [32, 27], "dtype": "float32"}
    assert (described["kind"], described["exercise"], described["revision"]) == ("student", FULL, 1)


def test_a_state_that_one_has_is_not_sent_again(server: RunningServer) -> None:
    student = server.join()
    tag = student.get(f"{EXERCISES}/{FULL}/instance/state").headers["ETag"]
    again = student.get(f"{EXERCISES}/{FULL}/instance/state", headers={"If-None-Match": tag})
    assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", tag)
    other = student.get(f"{EXERCISES}/{FULL}/instance/state", headers={"If-None-Match": '"something"'})
    assert other.status_code == 200


def test_everybody_has_numbers_of_their_own_and_keeps_them(server: RunningServer) -> None:
    student, bob = server.join("Ada"), server.join("Bob")
    assert student.state() == student.state()
    assert student.state() != bob.state()
    assert len({student.state(slug) for slug in default_exercises()}) == len(default_exercises())


def forget_instances(server: RunningServer) -> None:
    """As a server that was started anew."""
    server.services.instances._cached._kept.clear()


def test_the_bytes_are_kept_and_not_only_the_seed(server: RunningServer) -> None:
    student = server.join()
    state = student.state()
    with server.services.database.writing() as session:
        record = session.exec(select(InstanceRow)).one()
        assert record.state == state
        # As if an older torch had drawn it: other bytes than its seed gives today.
        record.state = Instance.canonical(find(FULL)).state
        record.digest = hashlib.sha256(record.state).hexdigest()
    forget_instances(server)
    assert student.state() == Instance.canonical(find(FULL)).state


def test_bytes_that_were_changed_in_the_database_are_noticed(server: RunningServer) -> None:
    student = server.join()
    student.state()
    with server.services.database.writing() as session:
        session.exec(select(InstanceRow)).one().state += b" "
    forget_instances(server)
    assert is_problem(student.get(f"{EXERCISES}/{FULL}/instance/state"), 500)


def test_nobody_without_the_secret_can_draw_a_students_instance(server: RunningServer) -> None:
    database = server.services.database
    student, exercise = server.join(), find(FULL)
    own = server.services.instances.get(student.id, exercise, Kind.STUDENT).instance
    same, other = (InstanceStore(database, secret) for secret in (b"0123456789abcdef" * 4, b"guess"))
    assert Instance.draw(exercise, same.seed(Kind.STUDENT, student.id, exercise), Kind.STUDENT).digest == own.digest
    assert Instance.draw(exercise, other.seed(Kind.STUDENT, student.id, exercise), Kind.STUDENT).digest != own.digest


def test_what_does_not_exist_and_what_is_not_yours_is_not_found(server: RunningServer) -> None:
    student = server.join()
    assert is_problem(student.get(f"{EXERCISES}/makemore/nothing"), 404)
    assert is_problem(student.get("/api/v1/courses/other/exercises"), 404)
    assert is_problem(student.get("/api/v1/courses/Not%00a%20slug/exercises"), 422)


def test_a_bad_file_of_names_prevents_the_start(tmp_path: Path) -> None:
    environment = os.environ | {
        "DOJO_DATA": str(tmp_path),
        "DOJO_PORT": "0",
        "DOJO_PROCESSES": "1",
        "DOJO_NAMES_FILE": str(tmp_path / "none"),
    }

    run = subprocess.run(
        [sys.executable, "-m", "server", "quickstart"],
        cwd=Path(__file__).parents[3],
        env=environment,
        capture_output=True,
        text=True,
        timeout=180,
    )

    assert run.returncode == 2
    assert run.stderr.endswith("Let DOJO_NAMES_FILE name a readable file, or unset it to use the bundled list.\n")


def test_the_list_is_what_the_course_asks_for_with_the_callers_due_time(server: RunningServer, here: Members) -> None:
    ada, bob = here.student, server.join("Bob")
    due, later = datetime(2099, 12, 1, 22, tzinfo=UTC), datetime(2099, 12, 8, 22, tzinfo=UTC)
    rules: dict[str, Any] = {
        "due_at": due,
        "opens_at": due - timedelta(days=3),
        "points": 5,
        "attempts_max": 3,
        "position": 1,
    }
    with server.services.database.writing() as session:
        course = courses.find_course(session, here.slug)
        assert course is not None
        course.time_zone = "Europe/Berlin"
        key: dict[str, Any] = {"course_id": course.id, "exercise": LOSS}
        session.add(AssignmentRow(**key, **rules, late_policy=LatePolicy.CLOSED))
        session.add(AssignmentRow(course_id=course.id, exercise=FULL, position=0))
        session.add(ExtensionRow(**key, account_id=ada.account, due_at=later, reason="ill"))

    of_ada, of_bob, of_staff = (each.get(EXERCISES).json()["exercises"] for each in (ada, bob, here.instructor))

    assert [each["slug"] for each in of_ada] == [FULL, LOSS]
    asked = ("opens_at", "due_at", "late", "answers", "attempts_left", "points", "time_zone", "is_assigned")
    assert [of_bob[1][name] for name in asked] == [
        "2099-11-28T22:00:00Z",
        "2099-12-01T22:00:00Z",
        "It closes at the due time.",
        "later",
        3,
        5,
        "Europe/Berlin",
        True,
    ]
    assert of_ada[1] == of_bob[1] | {"due_at": "2099-12-08T22:00:00Z"}
    assert [each["answers"] for each in (of_ada[0], of_staff[1])] == ["open", "open"]
    assert [each["is_assigned"] for each in of_staff[:3]] == [True, True, False]
    assert len(of_staff) == len(default_exercises())
