"""While feedback is withheld, nothing that a student reads tells whether an answer is right."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import httpx2 as httpx
import pytest

from server.database.table import now
from server.tables import Feedback
from tests.support.assigned import HOUR, assign, extend
from tests.support.servers import EXERCISES, FULL, SOLUTION, RunningServer, Student, gradients, is_problem

on_sqlite = pytest.mark.parametrize("url", ["sqlite"], indirect=True)
ONE_PATH = SOLUTION.replace("dcounts = dprobs * counts_sum_inv + dcounts_sum", "dcounts = dprobs * counts_sum_inv")
NOT_DUE: dict[str, Any] = {"feedback": Feedback.AFTER_DUE, "due_at": now() + HOUR}
TOO_FEW: dict[str, Any] = {"feedback": Feedback.AFTER_ATTEMPTS, "feedback_after": 99}
SECRETS = (
    "maxdiff",
    "origin",
    "diagnosis",
    "missing_term",
    "inherited",
    "approximate",
    '"exact":true',
    "is used twice",
)


def due(hours: float) -> dict[str, Any]:
    return {"feedback": Feedback.AFTER_DUE, "due_at": now() + hours * HOUR}


def is_withheld(grade: dict[str, Any]) -> bool:
    """Whether a grade says only that it is withheld, and until when."""
    told = [grade[name] for name in ("passed", "exact", "points")]
    return grade["feedback"] == "withheld" and told == [None] * 3 and grade["shown_when"].startswith("Feedback shows ")


def answers_of(student: Student) -> list[httpx.Response]:
    """Hand in code and tensors, each twice with one key, and read them everywhere."""
    right = gradients(student.state())
    wrong = right | {"dcounts": right["dcounts"] - right["dcounts_sum"]}
    one, two = {"Idempotency-Key": "one"}, {"Idempotency-Key": "two"}
    answers = [student.submit_code(ONE_PATH, headers=one) for _ in range(2)]
    answers += [student.submit_tensors(wrong, headers=two) for _ in range(2)]
    answers += [student.submit_code(ONE_PATH, wait=0)]
    for id in {answer.json()["id"] for answer in answers}:
        answers += [student.get(f"/api/v1/submissions/{id}/events"), student.get(f"/api/v1/submissions/{id}")]
    return answers


@on_sqlite
@pytest.mark.parametrize("fields", [NOT_DUE, TOO_FEW], ids=["after_due", "after_attempts"])
def test_no_surface_tells_what_is_right(server: RunningServer, student: Student, fields: dict[str, Any]) -> None:
    assign(server, **fields)

    answers = answers_of(student)
    listed = student.get(f"{student.address}/submissions")
    (summary,) = student.get(EXERCISES).json()["exercises"]
    shown = student.get(f"{EXERCISES}/{FULL}")

    texts = [answer.text for answer in (*answers, listed)]
    assert [secret for secret in SECRETS if any(secret in text for text in texts)] == []
    assert all(is_withheld(each["grade"]) for each in listed.json()["submissions"])
    assert [each["grade"]["run"] is None for each in listed.json()["submissions"]] == [False, True, False]
    for body in (summary, shown.json()):
        assert (body["feedback"], body["passed"], body["exact"], body["attempts"]) == ("withheld", None, None, 3)
    assert {each["best"] for each in shown.json()["checkpoints"]} == {None}
    assert {each["first_passed_at"] for each in shown.json()["checkpoints"]} == {None}


@on_sqlite
def test_an_archive_holds_no_more_than_is_shown(server: RunningServer, student: Student) -> None:
    assign(server, **NOT_DUE)
    student.submit_code(ONE_PATH)

    withheld = about(student)
    assign(server, **due(-1), hint_levels=1)
    shown = about(student)

    (submission,) = withheld["submissions"]
    assert (withheld["progress"], submission["grades"]) == ([], [])
    assert submission["shown_when"].startswith("Feedback shows ")
    (grade,) = shown["submissions"][0]["grades"]
    diagnosed = {row["name"]: [each["hints"] for each in row["diagnosis"]] for row in grade["rows"]}
    assert len(shown["progress"]) == len(diagnosed) == 26
    assert [len(hints) for hints in diagnosed["counts"]] == [1]


def about(student: Student) -> dict[str, Any]:
    """What a student's own archive says of them."""
    archive = zipfile.ZipFile(io.BytesIO(student.get("/api/v1/me/archive").content))
    told: dict[str, Any] = json.loads(archive.read("about.json"))
    return told


@on_sqlite
def test_a_withheld_grade_says_what_was_handed_in_and_how_the_code_ran(server: RunningServer, student: Student) -> None:
    assign(server, **NOT_DUE)

    grade = student.submit_code("print('hello')\ndlogprobs = logprobs * 0\nmistake").json()["grade"]

    assert is_withheld(grade)
    assert (grade["checkpoints"], grade["handed_in"], grade["total"]) == ([], ["logprobs"], 26)
    assert grade["run"]["status"] == "error" and "mistake" in grade["run"]["message"]
    assert grade["run"]["stdout"] == "hello\n"


@on_sqlite
def test_a_step_is_not_explained_while_that_tells_that_it_passed(server: RunningServer, student: Student) -> None:
    assign(server, **NOT_DUE)
    student.submit_tensors({"dlogits": gradients(student.state())["dlogits"]})

    refusals = [student.get(f"{EXERCISES}/{FULL}/checkpoints/{name}/explanation") for name in ("logits", "W1")]

    assert all(is_problem(answer, 403) for answer in refusals)
    assert refusals[0].json() == refusals[1].json()
    assert refusals[0].json()["type"] == "urn:dojo:problem:feedback-withheld"
    assign(server, **due(-1))
    assert student.get(f"{EXERCISES}/{FULL}/checkpoints/logits/explanation").status_code == 200


def test_feedback_shows_after_ones_own_due_time(server: RunningServer, student: Student) -> None:
    bob = server.join("Bob")
    assign(server, **due(-1))
    extend(server, bob, hours=1)
    homes = [each.submit_code(ONE_PATH).headers["Location"] for each in (student, bob)]

    mine, bobs = (each.get(home).json()["grade"] for each, home in zip((student, bob), homes, strict=True))

    assert mine["feedback"] == "shown" and len(mine["checkpoints"]) == 26
    assert is_withheld(bobs) and bobs["checkpoints"] == []
    read_by_staff = server.instructor.get(homes[1]).json()["grade"]
    assert read_by_staff["feedback"] == "shown" and read_by_staff["passed"] == mine["passed"]
    assign(server, **due(-1))  # the extension is still there
    extend(server, bob, hours=-0.5)
    assert is_withheld(bob.get(homes[1]).json()["grade"])


def test_feedback_shows_from_the_nth_attempt_on_for_all_of_them(server: RunningServer, student: Student) -> None:
    server.services.dispatcher.stop()
    assign(server, feedback=Feedback.AFTER_ATTEMPTS, feedback_after=3)
    wrong = {"dlogits": -gradients(student.state())["dlogits"]}

    first = student.submit_tensors(wrong)
    cancelled = student.submit_code("dlogits = 1", wait=0).json()["id"]
    student.post(f"/api/v1/submissions/{cancelled}/cancel")
    second = student.submit_tensors(wrong, headers={"Idempotency-Key": "two"})
    again = student.submit_tensors(wrong, headers={"Idempotency-Key": "two"})
    withheld = [answer.json()["grade"] for answer in (first, second, again)]
    third = student.submit_tensors(wrong)

    assert all(is_withheld(grade) for grade in withheld)
    assert "2 of them are made" in withheld[1]["shown_when"]
    assert third.json()["grade"]["feedback"] == "shown"
    assert student.get(first.headers["Location"]).json()["grade"]["feedback"] == "shown"


@on_sqlite
def test_a_followed_submission_ends_without_its_rows(server: RunningServer, student: Student) -> None:
    assign(server, **NOT_DUE)
    id = student.submit_code(ONE_PATH, wait=0).json()["id"]

    events = student.get(f"/api/v1/submissions/{id}/events").text

    last = json.loads(events.split("data: ")[-1].splitlines()[0])
    assert last["status"] == "graded" and is_withheld(last["grade"])


@on_sqlite
def test_staff_see_their_own_tries_at_once(server: RunningServer) -> None:
    assign(server, **NOT_DUE)

    grade = server.instructor.submit_code(ONE_PATH).json()["grade"]

    assert grade["feedback"] == "shown" and len(grade["checkpoints"]) == 26
