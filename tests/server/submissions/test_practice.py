"""A drill is offered after the second answer with a kind of mistake, and every course has drills to practise."""

from __future__ import annotations

from typing import Any

import pytest
import safetensors.torch
from sqlmodel import select
from starlette.testclient import TestClient

from exercises import registry
from server.http.token_gate import SESSION_COOKIE
from server.tables import CourseRow
from tests.support.assigned import archive, assign
from tests.support.servers import COURSE, FULL, RunningServer, Student, gradients
from tests.support.windows import Window

DRILL = "drills/missing-term-1"
EXERCISES = f"/api/v1/courses/{COURSE}/exercises"
on_sqlite = pytest.mark.parametrize("url", ["sqlite"], indirect=True)


def leave_out_a_path(student: Student) -> dict[str, Any]:
    """Hand in gradients without the path from counts through its sum; return the submission as it is read."""
    right = gradients(student.state())
    submitted = student.submit_tensors(right | {"dcounts": right["dcounts"] - right["dcounts_sum"]})
    body: dict[str, Any] = student.get(f"/api/v1/submissions/{submitted.json()['id']}").json()
    return body


def signed_in(server: RunningServer, token: str) -> Window:
    """Return a window of somebody."""
    window = Window(TestClient(server.client.app, follow_redirects=False))
    window.client.cookies.set(SESSION_COOKIE, token, domain="testserver.local")
    return window


def test_the_second_time_offers_a_drill(server: RunningServer, student: Student) -> None:
    first, second = leave_out_a_path(student), leave_out_a_path(student)

    assert first["practice"] is None
    assert second["practice"] == {
        "kind": "missing_term", "exercise": DRILL, "title": registry.find(DRILL).title, "lines": 3,
    }  # fmt: skip
    assert student.get(f"/api/v1/submissions/{first['id']}").json()["practice"] is None


@on_sqlite
def test_the_result_page_leads_to_the_drill(server: RunningServer, student: Student) -> None:
    leave_out_a_path(student)
    second = leave_out_a_path(student)["id"]
    theirs, staff = signed_in(server, student.token), signed_in(server, server.instructor_token)

    result = theirs.open(f"/submissions/{second}").text

    assert "Practise this: 3 lines." in result
    assert f'href="/courses/{COURSE}/exercises/{DRILL}"' in result
    assert "Every use adds a term" in theirs.open(f"/courses/{COURSE}/exercises/{DRILL}").text
    assert "Practise this" not in staff.open(f"/submissions/{second}").text


@on_sqlite
def test_an_archived_course_offers_nothing_that_it_would_not_take(server: RunningServer, student: Student) -> None:
    leave_out_a_path(student)
    second = leave_out_a_path(student)["id"]

    archive(server)

    assert student.get(f"/api/v1/submissions/{second}").json()["practice"] is None


@on_sqlite
def test_another_students_mistake_counts_for_nobody_else(server: RunningServer) -> None:
    leave_out_a_path(server.join("Ada"))

    assert leave_out_a_path(server.join("Bob"))["practice"] is None


@on_sqlite
def test_a_right_answer_offers_nothing(server: RunningServer, student: Student) -> None:
    leave_out_a_path(student)
    leave_out_a_path(student)

    submitted = student.submit_tensors(gradients(student.state()))

    assert student.get(f"/api/v1/submissions/{submitted.json()['id']}").json()["practice"] is None


@on_sqlite
def test_a_drill_that_passed_makes_room_for_the_next(server: RunningServer, student: Student) -> None:
    leave_out_a_path(student)
    state = safetensors.torch.load(student.state(DRILL))
    right = registry.find(DRILL).played(state).gradients()
    answers = {each.answer: right[each.name] for each in registry.find(DRILL).checkpoints}
    passed = student.submit_tensors(answers, exercise=DRILL)

    offered = leave_out_a_path(student)["practice"]

    assert passed.json()["grade"]["passed"] == len(registry.find(DRILL).checkpoints)
    assert offered["exercise"] == "drills/missing-term-2"


@on_sqlite
def test_a_course_that_tells_no_kinds_offers_no_drills(server: RunningServer, student: Student) -> None:
    with server.services.database.writing() as session:
        session.exec(select(CourseRow).where(CourseRow.slug == COURSE)).one().hint_levels = 0
    leave_out_a_path(student)

    assert leave_out_a_path(student)["practice"] is None


@on_sqlite
def test_drills_are_open_in_a_course_with_assignments_and_in_no_list(server: RunningServer, student: Student) -> None:
    assign(server, FULL)

    shown, listed = student.get(f"{EXERCISES}/{DRILL}"), student.get(EXERCISES).json()["exercises"]

    assert shown.status_code == 200
    assert [each["name"] for each in shown.json()["checkpoints"]] == ["y", "a", "x"]
    assert [each["slug"] for each in listed] == [FULL]
