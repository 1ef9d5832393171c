"""What an assignment refuses, over REST: on the way of a submission, of a check, and of what an exercise shows."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2 as httpx
import pytest
import safetensors.torch
from sqlmodel import func, select

from server.database.table import now
from server.tables import Accepts, Feedback, LatePolicy, SubmissionRow, TicketRow, TicketState
from tests.server.rules.reading import read_rules
from tests.support.assigned import HOUR, archive, assign, extend
from tests.support.servers import (
    EXERCISES,
    FULL,
    SAFETENSORS,
    RunningServer,
    Student,
    gradients,
    is_problem,
)

OTHER = "makemore/cross-entropy"
CHECK = f"{EXERCISES}/{FULL}/check"
SHOWN = ("", "/instance", "/instance/state", "/checkpoints/logits/explanation")

on_sqlite = pytest.mark.parametrize("url", ["sqlite"], indirect=True)


def refused(answer: httpx.Response, slug: str, status: int = 403) -> bool:
    """Whether an answer is this problem."""
    return is_problem(answer, status) and str(answer.json()["type"]) == f"urn:dojo:problem:{slug}"


def answers(student: Student, tensors: bytes) -> list[httpx.Response]:
    """Hand in code and tensors, and check both."""
    body = {"filename": "solution.py", "source": "dlogits = 1"}
    return [
        student.submit_code("dlogits = 1", wait=0),
        student.submit_bytes(tensors),
        student.post(CHECK, json=body),
        student.post(CHECK, content=tensors, headers={"Content-Type": SAFETENSORS}),
    ]


def kept(server: RunningServer) -> int:
    with server.services.database.reading() as session:
        return session.exec(select(func.count()).select_from(SubmissionRow)).one()


@pytest.fixture
def tensors(student: Student) -> bytes:
    """An answer to the student's own numbers."""
    return safetensors.torch.save({"dlogits": gradients(student.state())["dlogits"]})


def past(hours: float) -> Any:
    return now() - hours * HOUR


@on_sqlite
@pytest.mark.parametrize(
    ("slug", "status", "fields"),
    [
        ("not-open-yet", 403, {"opens_at": past(-1)}),
        ("closed", 403, {"due_at": past(1), "late_policy": LatePolicy.CLOSED}),
        ("not-assigned", 404, {"exercise": OTHER}),
    ],
)
def test_out_of_its_time_nothing_is_taken_and_staff_hand_in(
    server: RunningServer, student: Student, tensors: bytes, slug: str, status: int, fields: dict[str, Any]
) -> None:
    server.services.dispatcher.stop()
    assign(server, **fields)

    assert all(refused(answer, slug, status) for answer in answers(student, tensors))
    assert kept(server) == 0
    assert server.instructor.submit_code("dlogits = 1", wait=0).status_code == 202
    assert server.instructor.submit_bytes(tensors).status_code == 201


@on_sqlite
@pytest.mark.parametrize(
    ("slug", "status", "fields"),
    [("not-open-yet", 403, {"opens_at": past(-1)}), ("not-assigned", 404, {"exercise": OTHER})],
)
def test_an_exercise_is_hidden_before_it_opens_and_unless_it_is_assigned(
    server: RunningServer, student: Student, slug: str, status: int, fields: dict[str, Any]
) -> None:
    assign(server, **fields)

    for path in SHOWN:
        assert refused(student.get(f"{EXERCISES}/{FULL}{path}"), slug, status)
        assert server.instructor.get(f"{EXERCISES}/{FULL}{path}").status_code == 200
    assert "dlogprobs" not in student.get(EXERCISES).text


@on_sqlite
def test_the_moment_of_opening_is_in_the_courses_own_time(server: RunningServer, student: Student) -> None:
    opens_at = now() + HOUR
    assign(server, opens_at=opens_at)

    detail = student.get(f"{EXERCISES}/{FULL}").json()["detail"]

    assert detail == f"{FULL} opens at {opens_at:%Y-%m-%d %H:%M} (UTC). Come back then."


@on_sqlite
def test_an_extension_opens_for_one_and_a_kept_answer_can_be_sent_again(
    server: RunningServer, student: Student
) -> None:
    server.services.dispatcher.stop()
    bob = server.join("Bob")
    key = {"Idempotency-Key": "one"}
    before = student.submit_code("dlogits = 1", wait=0, headers=key).json()["id"]
    assign(server, due_at=past(1), late_policy=LatePolicy.CLOSED)
    extend(server, bob, hours=1)

    assert student.submit_code("dlogits = 1", wait=0, headers=key).json()["id"] == before
    assert refused(student.submit_code("dlogits = 1", wait=0), "closed")
    assert bob.submit_code("dlogits = 1", wait=0).status_code == 202


@on_sqlite
def test_an_archived_course_takes_no_answer_of_anybody_and_is_read(
    server: RunningServer, student: Student, tensors: bytes
) -> None:
    earlier = student.submit_bytes(tensors).headers["Location"]
    archive(server)

    for person in (student, server.instructor):
        assert all(refused(answer, "archived") for answer in answers(person, tensors))
        assert person.get(earlier).status_code == 200
        assert person.get(f"{EXERCISES}/{FULL}").status_code == 200


@on_sqlite
@pytest.mark.parametrize(
    ("accepts", "advice"), [(Accepts.CODE, "hand in a .py file"), (Accepts.TENSORS, "hand in a .safetensors file")]
)
def test_the_other_kind_is_refused_with_what_to_hand_in(
    server: RunningServer, student: Student, tensors: bytes, accepts: Accepts, advice: str
) -> None:
    assign(server, accepts=accepts)

    code, file, *checks = answers(student, tensors)

    taken, wrong = (code, file) if accepts is Accepts.CODE else (file, code)
    assert taken.status_code in (201, 202)  # code may be graded before it is answered
    assert refused(wrong, "kind-not-accepted", 415) and advice in wrong.json()["detail"]
    assert [check.status_code for check in checks] == [200, 200]  # a check hands nothing in


@on_sqlite
def test_attempts_are_counted_and_those_that_never_ran_are_not(
    server: RunningServer, student: Student, tensors: bytes
) -> None:
    server.services.dispatcher.stop()
    assign(server, attempts_max=2)
    cancelled = student.submit_code("dlogits = 1", wait=0).json()["id"]
    student.post(f"/api/v1/submissions/{cancelled}/cancel")

    graded = student.submit_bytes(tensors, headers={"Idempotency-Key": "one"})
    assert graded.status_code == 201
    with server.services.database.writing() as session:  # as if a regrade of it was lost three times
        ticket = {"submission_id": graded.json()["id"], "account_id": student.account}
        session.add(TicketRow(**ticket, state=TicketState.QUARANTINED))
    assert student.submit_code("dlogits = 1", wait=0).status_code == 202
    for answer in answers(student, tensors)[:2]:
        assert refused(answer, "no-attempts-left")
    assert student.submit_bytes(tensors, headers={"Idempotency-Key": "one"}).status_code == 201  # sent twice
    assert [server.instructor.submit_bytes(tensors).status_code for _ in range(3)] == [201] * 3
    assert server.join("Bob").submit_code("dlogits = 1", wait=0).status_code == 202


def test_two_at_once_make_one_last_attempt(server: RunningServer, student: Student) -> None:
    server.services.dispatcher.stop()
    assign(server, attempts_max=1)

    with ThreadPoolExecutor(2) as pool:
        sent = list(pool.map(lambda _: student.submit_code("dlogits = 1", wait=0), range(2)))

    assert sorted(answer.status_code for answer in sent) == [202, 403]
    assert kept(server) == 1


@on_sqlite
def test_live_checks_are_open_only_if_the_assignment_says_so(
    server: RunningServer, student: Student, tensors: bytes
) -> None:
    for slug, fields in (
        ("checks-closed", {"checks_open": False}),
        ("feedback-withheld", {"feedback": Feedback.AFTER_DUE, "due_at": past(-1)}),
        ("feedback-withheld", {"feedback": Feedback.AFTER_ATTEMPTS, "feedback_after": 99}),
    ):
        assign(server, **fields)
        for answer in answers(student, tensors)[2:]:
            assert refused(answer, slug)
        checked = server.instructor.post(CHECK, content=tensors, headers={"Content-Type": SAFETENSORS})
        assert checked.status_code == 200


@on_sqlite
def test_rules_are_read_by_one_statement(server: RunningServer, student: Student) -> None:
    for fields, statements in (
        ({}, 1),
        ({"due_at": past(-1), "late_policy": LatePolicy.CLOSED, "attempts_max": 2}, 1),
        ({"due_at": past(1), "late_policy": LatePolicy.DAILY, "late_per_day": 0.1}, 1),
        ({"due_at": past(1), "late_policy": LatePolicy.CLOSED}, 2),  # with the extensions
        ({"due_at": past(-1), "feedback": Feedback.AFTER_DUE}, 2),
        ({"feedback": Feedback.AFTER_ATTEMPTS, "feedback_after": 2}, 2),  # with the attempts
    ):
        assign(server, **fields)
        assert read_rules(server, student, FULL).statements == statements, fields
