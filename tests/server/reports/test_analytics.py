"""Analytics: what a class makes of each checkpoint."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event

from server.tables import SubmissionRow
from tests.support.packs import default_exercises
from tests.support.sections import sectioned
from tests.support.servers import (
    FULL,
    SOLUTION,
    FakeSandbox,
    Members,
    RunningServer,
    Student,
    gradients,
    is_problem,
)

ANALYTICS = "/api/v1/courses/backprop/analytics"
RIGHT = "dcounts = dprobs * counts_sum_inv + dcounts_sum"
ONE_PATH = SOLUTION.replace(RIGHT, "dcounts = dprobs * counts_sum_inv")
TURNED = SOLUTION.replace(RIGHT, "dcounts = -(dprobs * counts_sum_inv + dcounts_sum)")


def checkpoint(server: RunningServer, name: str) -> dict[str, Any]:
    """A checkpoint of exercise 1, as staff see it."""
    answer = server.instructor.get(ANALYTICS, params={"exercise": FULL})
    assert answer.status_code == 200, answer.text
    (exercise,) = answer.json()["exercises"]
    (found,) = [each for each in exercise["checkpoints"] if each["name"] == name]
    assert isinstance(found, dict)
    return found


def test_an_instructor_reads_what_share_made_which_mistake(server: RunningServer) -> None:
    for name, answers in {
        "Ada": [ONE_PATH, ONE_PATH, SOLUTION, SOLUTION],
        "Bob": [SOLUTION, ONE_PATH],
        "Cleo": [TURNED, SOLUTION],
        "Dora": [TURNED],
        "Emil": ["dlogits = None"],
    }.items():
        student = server.join(name)
        for source in answers:
            assert student.submit_code(source).status_code == 201
    told = checkpoint(server, "counts")
    assert told["mistakes"] == [
        {
            "code": "missing_term",
            "students": 2,
            "share": 0.5,
            "message": "50 % left out a path at counts (2 of 4)",
            "most_common_hint": "counts is used twice, in counts_sum and probs; "
            "your gradient holds only the path through probs.",
        },
        {
            "code": "sign",
            "students": 2,
            "share": 0.5,
            "message": "50 % had the wrong sign at counts (2 of 4)",
            "most_common_hint": told["mistakes"][1]["most_common_hint"],
        },
    ]
    assert (told["tried"], told["passed"], told["pass_rate"]) == (4, 3, 0.75)
    assert told["attempts_to_pass"] == 2.0  # of 3, 1 and 2
    assert told["passed_at_first"] == 1
    assert checkpoint(server, "norm_logits")["mistakes"] == []  # inherited is nobody's mistake here


def test_an_attempt_is_one_at_that_checkpoint(server: RunningServer, student: Student) -> None:
    right = gradients(student.state())
    for tensors in ({"dh": right["dh"] * 2}, {"dlogits": right["dlogits"]}, {"dh": right["dh"]}):
        student.submit_tensors(tensors)
    assert checkpoint(server, "h")["attempts_to_pass"] == 2.0
    assert checkpoint(server, "logits")["attempts_to_pass"] == 1.0


def test_where_nobody_tried_there_is_no_rate(server: RunningServer, student: Student) -> None:
    told = server.instructor.get(ANALYTICS).json()
    assert (told["course"], told["students"]) == ("backprop", 1)
    assert [each["exercise"] for each in told["exercises"]] == list(default_exercises())
    assert told["exercises"][0]["checkpoints"][0] == {
        "name": "logprobs",
        "tried": 0,
        "passed": 0,
        "passed_at_first": 0,
        "pass_rate": None,
        "attempts_to_pass": None,
        "minutes_to_pass": None,
        "minutes_quantiles": None,
        "stuck": 0,
        "stuck_students": [],
        "mistakes": [],
    }


def test_the_newest_grade_counts(server: RunningServer, student: Student) -> None:
    id = student.submit_code(ONE_PATH).json()["id"]

    server.grade_again(id, "counts", verdict="exact", approximate=True, origin=None, diagnosis=[])

    told = checkpoint(server, "counts")
    assert (told["tried"], told["passed"], told["mistakes"]) == (1, 1, [])


def test_minutes_to_pass_go_from_the_first_hand_in_of_the_exercise(server: RunningServer) -> None:
    for name, minutes in {"Ada": 10, "Bob": 30, "Cleo": 90}.items():
        student = server.join(name)
        wrong, right = (int(student.submit_code(source).json()["id"]) for source in (ONE_PATH, SOLUTION))
        with server.services.database.writing() as session:
            first = session.get_one(SubmissionRow, wrong)
            first.created_at = session.get_one(SubmissionRow, right).created_at - timedelta(minutes=minutes)

    assert checkpoint(server, "counts")["minutes_to_pass"] == 30
    assert checkpoint(server, "counts")["minutes_quantiles"] == [12, 20, 30, 60, 84]
    assert checkpoint(server, "counts")["passed"] == 3


def test_staff_see_at_what_code_stops(server: RunningServer, fake_sandbox: FakeSandbox) -> None:
    traceback = 'Traceback (most recent call last):\n  File "solution.py", line 2, in <module>\n    {}\n{}: bad'
    wrong_line = traceback.format("dcounts = dprobs * no_such_name", "NameError")
    ada, bob, cleo = (server.join(name) for name in ("Ada", "Bob", "Cleo"))
    for student, messages in ((ada, [wrong_line, None]), (bob, [wrong_line, wrong_line]), (cleo, [None])):
        for message in messages:
            fake_sandbox.message = message
            last = student.submit_code("dlogits = 0").json()["id"]
            if student is bob:
                example = last

    (exercise,) = server.instructor.get(ANALYTICS, params={"exercise": FULL}).json()["exercises"]

    assert (exercise["ran_code"], exercise["stopped"], exercise["still_stopping"]) == (3, 2, 1)
    assert exercise["stops"] == [
        {
            "status": "error",
            "error": "NameError",
            "checkpoint": "counts",
            "students": 2,
            "share": 2 / 3,
            "message": "67 % have code that stops with NameError in the line of dcounts (2 of 3)",
            "example_submission": example,
        }
    ]


def test_who_is_stuck_is_named_until_they_pass(server: RunningServer, student: Student) -> None:
    for _ in range(3):
        student.submit_code(ONE_PATH)
    stuck = {"exercise": FULL, "stuck_after": "3"}
    counts = [_found(server.instructor.get(ANALYTICS, params=stuck).json(), FULL, "counts")]
    student.submit_code(SOLUTION)
    counts.append(_found(server.instructor.get(ANALYTICS, params=stuck).json(), FULL, "counts"))

    assert [each["stuck"] for each in counts] == [1, 0]
    assert counts[0]["stuck_students"] == [{"id": student.id, "name": "Ada"}]


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_an_assistant_of_a_section_counts_that_one_alone(server: RunningServer) -> None:
    assistant = sectioned(server, {"Ada": "A", "Bob": "B"})

    counted = [
        assistant.get(ANALYTICS, params={"exercise": FULL}).json(),
        server.instructor.get(ANALYTICS, params={"exercise": FULL, "section": "B"}).json(),
        server.instructor.get(ANALYTICS, params={"exercise": FULL}).json(),
    ]

    assert [(each["students"], _found(each, FULL, "counts")["tried"]) for each in counted] == [(1, 1), (1, 1), (2, 2)]
    assert is_problem(assistant.get(ANALYTICS, params={"section": "B"}), 403)


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_another_course_is_counted_apart(here: Members, there: Members) -> None:
    for _ in range(2):
        there.student.submit_code(ONE_PATH)
    here.student.submit_code(SOLUTION)

    seen = [members.instructor.get(f"{members.address}/analytics").json() for members in (here, there)]

    counts = [_found(each, FULL, "counts") for each in seen]
    assert [each["students"] for each in seen] == [1, 1]
    assert [(each["tried"], each["passed"], len(each["mistakes"])) for each in counts] == [(1, 1, 0), (1, 0, 1)]


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_one_account_is_counted_in_each_course(server: RunningServer, here: Members, there: Members) -> None:
    abroad = server.seat(here.student, there.slug)
    right = gradients(here.student.state())
    here.student.submit_tensors({"dh": right["dh"] * 2})
    abroad.submit_tensors({"dh": right["dh"]})

    seen = [members.instructor.get(f"{members.address}/analytics").json() for members in (here, there)]

    rows = [_found(each, FULL, "h") for each in seen]
    assert [(each["tried"], each["passed"], each["attempts_to_pass"]) for each in rows] == [(1, 0, None), (1, 1, 1.0)]


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_staff_do_not_count_for_a_seat_elsewhere(server: RunningServer, here: Members, there: Members) -> None:
    server.seat(here.instructor, there.slug)

    here.instructor.submit_code(ONE_PATH)

    told = checkpoint(server, "counts")
    assert (told["tried"], told["mistakes"]) == (0, [])


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_exercises_are_counted_apart(server: RunningServer, student: Student) -> None:
    right = gradients(student.state())["dlogits"]
    student.submit_tensors({"dlogits": right * 2})
    student.submit_tensors({"dlogits": right}, exercise="makemore/cross-entropy")
    student.submit_tensors({"dlogits": right})

    seen = server.instructor.get(ANALYTICS).json()

    of_all = [_found(seen, slug, "logits") for slug in (FULL, "makemore/cross-entropy")]
    assert [(each["tried"], each["passed"]) for each in of_all] == [(1, 1), (1, 0)]
    assert [each["attempts_to_pass"] for each in of_all] == [2.0, None]


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_the_first_pass_of_each_student_counts(server: RunningServer, student: Student) -> None:
    for each in (student, server.join("Bob")):
        right = gradients(each.state())["dlogits"]
        for tensor in (right * 2, right, right):
            each.submit_tensors({"dlogits": tensor})

    told = checkpoint(server, "logits")

    assert (told["tried"], told["passed"], told["attempts_to_pass"]) == (2, 2, 2.0)


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_the_commonest_mistake_and_hint_come_first(server: RunningServer, student: Student) -> None:
    first = student.submit_code(TURNED).json()["id"]
    server.join("Bob").submit_code(ONE_PATH)
    tie = [each["code"] for each in checkpoint(server, "counts")["mistakes"]]
    cleo = server.join("Cleo")
    for _ in range(2):
        cleo.submit_code(TURNED)
    server.grade_again(first, "counts", diagnosis=[{"code": "sign", "hints": ["Rare.", "", ""]}])

    mistakes = checkpoint(server, "counts")["mistakes"]

    assert tie == ["missing_term", "sign"]
    assert [(each["code"], each["students"], each["share"]) for each in mistakes] == [
        ("sign", 2, 2 / 3),
        ("missing_term", 1, 1 / 3),
    ]
    assert mistakes[0]["most_common_hint"] != "Rare."


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("origin", ["inherited", None])
def test_only_an_own_mistake_is_counted(server: RunningServer, student: Student, origin: str | None) -> None:
    id = student.submit_code(ONE_PATH).json()["id"]

    server.grade_again(id, "counts", origin=origin)

    assert checkpoint(server, "counts")["mistakes"] == []


def _found(analytics: dict[str, Any], exercise: str, name: str) -> dict[str, Any]:
    """A checkpoint of an exercise."""
    (checkpoints,) = [each["checkpoints"] for each in analytics["exercises"] if each["exercise"] == exercise]
    (found,) = [each for each in checkpoints if each["name"] == name]
    assert isinstance(found, dict)
    return found


def test_it_is_of_the_students_and_for_the_staff(server: RunningServer, student: Student) -> None:
    server.instructor.submit_code(ONE_PATH)
    assert checkpoint(server, "counts")["tried"] == 0
    assert is_problem(student.get(ANALYTICS), 403)
    assert is_problem(server.instructor.get("/api/v1/courses/other/analytics"), 404)
    assert is_problem(server.instructor.get(ANALYTICS, params={"exercise": "makemore/nothing"}), 404)


def test_a_class_is_counted_in_as_many_queries_as_one_student(server: RunningServer, student: Student) -> None:
    student.submit_code(ONE_PATH)
    few = _queries(server)
    assert few > 0
    for number in range(5):
        server.join(f"Student {number}").submit_code(TURNED)
    assert _queries(server) == few


REQUEST_THREADS = "AnyIO worker thread"


def _queries(server: RunningServer) -> int:
    """How many statements the analytics take; threads in the background, which look for work, are left out."""
    seen: list[str] = []
    engine = server.services.database.engine

    def count(connection: object, cursor: object, statement: str, *rest: object) -> None:
        if threading.current_thread().name.startswith(REQUEST_THREADS):
            seen.append(statement)

    server.instructor.get(ANALYTICS)  # the token is known from here on, and that somebody was seen is written
    event.listen(engine, "before_cursor_execute", count)
    server.instructor.get(ANALYTICS)
    event.remove(engine, "before_cursor_execute", count)
    return len(seen)
