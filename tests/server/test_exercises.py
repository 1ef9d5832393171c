"""What is asked, and the numbers to answer it on."""

from __future__ import annotations

import hashlib

import safetensors.torch
from sqlmodel import select

from exercises.catalog import CATALOG, find
from exercises.instance import Kind
from exercises.names import load
from server.instances.store import InstanceStore
from server.tables import InstanceRow
from tests.support.servers import EXERCISES, FULL, SAFETENSORS, RunningServer, is_problem


def test_the_list_holds_the_catalogue_with_nothing_done_yet(server: RunningServer) -> None:
    listed = server.join().get(EXERCISES).json()["exercises"]
    assert [each["slug"] for each in listed] == list(CATALOG)
    assert listed[0] == {
        "slug": FULL,
        "revision": 1,
        "title": find(FULL).title,
        "summary": find(FULL).summary,
        "attempts": 0,
        "passed": 0,
        "exact": 0,
        "total": 26,
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
    assert len({student.state(slug) for slug in CATALOG}) == len(CATALOG)


def forget_instances(server: RunningServer) -> None:
    """As a server that was started anew."""
    server.services.instances._cached.cache_clear()


def test_the_bytes_are_kept_and_not_only_the_seed(server: RunningServer) -> None:
    student = server.join()
    state = student.state()
    with server.services.database.writing() as session:
        record = session.exec(select(InstanceRow)).one()
        assert record.state == state
        # As if an older torch had drawn it: other bytes than its seed gives today.
        record.state = find(FULL).canonical().state
        record.digest = hashlib.sha256(record.state).hexdigest()
    forget_instances(server)
    assert student.state() == find(FULL).canonical().state


def test_bytes_that_were_changed_in_the_database_are_noticed(server: RunningServer) -> None:
    student = server.join()
    student.state()
    with server.services.database.writing() as session:
        session.exec(select(InstanceRow)).one().state += b" "
    forget_instances(server)
    assert is_problem(student.get(f"{EXERCISES}/{FULL}/instance/state"), 500)


def test_nobody_without_the_secret_can_draw_the_hidden_instance(server: RunningServer) -> None:
    database, names = server.services.database, load()
    student, exercise = server.join(), find(FULL)
    hidden = server.services.instances.get(student.id, exercise, Kind.HIDDEN).instance
    assert hidden.digest != server.services.instances.get(student.id, exercise, Kind.STUDENT).instance.digest
    same, other = (InstanceStore(database, secret, names) for secret in (b"0123456789abcdef" * 4, b"guess"))
    assert exercise.draw(same._seed(Kind.HIDDEN, student.id, exercise), names, Kind.HIDDEN).digest == hidden.digest
    assert exercise.draw(other._seed(Kind.HIDDEN, student.id, exercise), names, Kind.HIDDEN).digest != hidden.digest


def test_what_does_not_exist_and_what_is_not_yours_is_not_found(server: RunningServer) -> None:
    student = server.join()
    assert is_problem(student.get(f"{EXERCISES}/makemore/nothing"), 404)
    assert is_problem(student.get("/api/v1/courses/other/exercises"), 404)
    assert is_problem(student.get("/api/v1/courses/Not%00a%20slug/exercises"), 422)
