"""Which numbers an assignment hands out, and on which an answer is graded."""

from __future__ import annotations

import json

import pytest
import safetensors.torch
from sqlmodel import select

from exercises.instance import Instance
from exercises.registry import find
from server.tables import GradeRow, InstanceRow, Numbers
from tests.support.assigned import assign
from tests.support.servers import (
    EXERCISES,
    FULL,
    SAFETENSORS,
    SOLUTION,
    FakeSandbox,
    RunningServer,
    Student,
    gradients,
)

on_sqlite = pytest.mark.parametrize("url", ["sqlite"], indirect=True)
CHECK = f"{EXERCISES}/{FULL}/check"


def kind_of_last_grade(server: RunningServer) -> str:
    with server.services.database.reading() as session:
        kinds = select(InstanceRow.kind).join(GradeRow).order_by(GradeRow.id.desc())  # type: ignore[attr-defined]
        kind = session.exec(kinds).first()
    assert kind is not None
    return kind


@on_sqlite
def test_canonical_numbers_are_everybodys(server: RunningServer, student: Student, fake_sandbox: FakeSandbox) -> None:
    bob = server.join("Bob")
    own = student.state()
    assign(server, numbers=Numbers.CANONICAL)

    states = [each.state() for each in (student, bob)]

    canonical = Instance.canonical(find(FULL))
    assert states == [canonical.state] * 2 and own != canonical.state
    described = bob.get(f"{EXERCISES}/{FULL}/instance").json()
    assert (described["kind"], described["digest"]) == ("canonical", canonical.digest)
    right = gradients(states[0])
    content = safetensors.torch.save(right)
    for each in (student, bob):
        assert each.submit_tensors(right).json()["grade"]["exact"] == 26
        checked = each.post(CHECK, content=content, headers={"Content-Type": SAFETENSORS})
        assert checked.json()["exact"] == 26
    assert kind_of_last_grade(server) == "canonical"
    bob.post(CHECK, json={"filename": "solution.py", "source": SOLUTION})
    assert fake_sandbox.jobs[-1].state == canonical.state


@pytest.mark.parametrize("numbers", Numbers)
@pytest.mark.parametrize("on_hidden_numbers", [True, False])
@on_sqlite
def test_code_is_graded_on_hidden_numbers_or_on_those_handed_out(
    server: RunningServer,
    student: Student,
    fake_sandbox: FakeSandbox,
    numbers: Numbers,
    on_hidden_numbers: bool,
) -> None:
    assign(server, numbers=numbers, on_hidden_numbers=on_hidden_numbers)

    answer = student.submit_code("print('hello')\n" + SOLUTION)

    assert answer.json()["grade"]["exact"] == 26
    assert kind_of_last_grade(server) == ("hidden" if on_hidden_numbers else numbers.value)
    assert (fake_sandbox.jobs[-1].state == student.state()) is not on_hidden_numbers
    (listed,) = student.get(f"{student.address}/submissions").json()["submissions"]
    events = student.get(f"{answer.headers['Location']}/events").text
    followed = json.loads(events.split("data: ")[-1].splitlines()[0])
    for body in (answer.json(), student.get(answer.headers["Location"]).json(), listed, followed):
        assert body["grade"]["run"]["hidden"] is on_hidden_numbers


def test_an_answer_keeps_its_numbers_when_the_assignment_changes(server: RunningServer, student: Student) -> None:
    assign(server, on_hidden_numbers=False)
    right = gradients(student.state())
    for answer in (student.submit_tensors(right), student.submit_code(SOLUTION)):
        assert answer.json()["grade"]["exact"] == 26
    assign(server, numbers=Numbers.CANONICAL)
    with server.services.database.writing() as session:  # as if another environment graded
        for row in session.exec(select(GradeRow)):
            row.environment = "another"

    for id in (1, 2):
        server.services.grading.grade_submission(id)
        assert student.get(f"/api/v1/submissions/{id}").json()["grade"]["exact"] == 26
        assert kind_of_last_grade(server) == "student"
