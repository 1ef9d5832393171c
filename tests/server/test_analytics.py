"""Analytics: what a class makes of each checkpoint."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from sqlalchemy import event

from exercises.catalog import CATALOG
from server.analytics import DEEDS
from tests.mistakes import catalogue
from tests.server.house import FULL, SOLUTION, House, Members, Student, gradients, is_problem

ANALYTICS = "/api/v1/courses/backprop/analytics"
RIGHT = "dcounts = dprobs * counts_sum_inv + dcounts_sum"
ONE_PATH = SOLUTION.replace(RIGHT, "dcounts = dprobs * counts_sum_inv")
TURNED = SOLUTION.replace(RIGHT, "dcounts = -(dprobs * counts_sum_inv + dcounts_sum)")


def checkpoint(house: House, name: str) -> dict[str, Any]:
    """A checkpoint of exercise 1, as staff see it."""
    answer = house.instructor.get(ANALYTICS, params={"exercise": FULL})
    assert answer.status_code == 200, answer.text
    (exercise,) = answer.json()["exercises"]
    (found,) = [each for each in exercise["checkpoints"] if each["name"] == name]
    assert isinstance(found, dict)
    return found


def test_an_instructor_reads_what_share_made_which_mistake(house: House) -> None:
    for name, answers in {
        "Ada": [ONE_PATH, ONE_PATH, SOLUTION, SOLUTION],
        "Bob": [SOLUTION, ONE_PATH],
        "Cleo": [TURNED, SOLUTION],
        "Dora": [TURNED],
        "Emil": ["dlogits = None"],
    }.items():
        student = house.join(name)
        for source in answers:
            assert student.submit_code(source).status_code == 201
    told = checkpoint(house, "counts")
    assert told["mistakes"] == [
        {
            "code": "missing_term",
            "students": 2,
            "share": 0.5,
            "message": "50 % left out a path at counts (2 of 4)",
            "told": "counts is used twice, in counts_sum and probs; your gradient holds only the path through probs.",
        },
        {
            "code": "sign",
            "students": 2,
            "share": 0.5,
            "message": "50 % had the wrong sign at counts (2 of 4)",
            "told": told["mistakes"][1]["told"],
        },
    ]
    assert (told["tried"], told["passed"], told["pass_rate"]) == (4, 3, 0.75)
    assert told["attempts_to_pass"] == 2.0  # of 3, 1 and 2
    assert checkpoint(house, "norm_logits")["mistakes"] == []  # inherited is nobody's mistake here


def test_an_attempt_is_one_at_that_checkpoint(house: House, ada: Student) -> None:
    right = gradients(ada.state())
    for tensors in ({"dh": right["dh"] * 2}, {"dlogits": right["dlogits"]}, {"dh": right["dh"]}):
        ada.submit_tensors(tensors)
    assert checkpoint(house, "h")["attempts_to_pass"] == 2.0
    assert checkpoint(house, "logits")["attempts_to_pass"] == 1.0


def test_where_nobody_tried_there_is_no_rate(house: House, ada: Student) -> None:
    told = house.instructor.get(ANALYTICS).json()
    assert (told["course"], told["students"]) == ("backprop", 1)
    assert [each["exercise"] for each in told["exercises"]] == list(CATALOG)
    assert told["exercises"][0]["checkpoints"][0] == {
        "name": "logprobs",
        "tried": 0,
        "passed": 0,
        "pass_rate": None,
        "attempts_to_pass": None,
        "mistakes": [],
    }


def test_the_newest_grade_counts(house: House, ada: Student) -> None:
    id = ada.submit_code(ONE_PATH).json()["id"]

    house.grade_again(id, "counts", verdict="exact", approximate=True, origin=None, diagnosis=[])

    told = checkpoint(house, "counts")
    assert (told["tried"], told["passed"], told["mistakes"]) == (1, 1, [])


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
def test_one_account_is_counted_in_each_course(house: House, here: Members, there: Members) -> None:
    abroad = house.seat(here.student, there.slug)
    right = gradients(here.student.state())
    here.student.submit_tensors({"dh": right["dh"] * 2})
    abroad.submit_tensors({"dh": right["dh"]})

    seen = [members.instructor.get(f"{members.address}/analytics").json() for members in (here, there)]

    rows = [_found(each, FULL, "h") for each in seen]
    assert [(each["tried"], each["passed"], each["attempts_to_pass"]) for each in rows] == [(1, 0, None), (1, 1, 1.0)]


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_staff_do_not_count_for_a_seat_elsewhere(house: House, here: Members, there: Members) -> None:
    house.seat(here.instructor, there.slug)

    here.instructor.submit_code(ONE_PATH)

    told = checkpoint(house, "counts")
    assert (told["tried"], told["mistakes"]) == (0, [])


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_exercises_are_counted_apart(house: House, ada: Student) -> None:
    right = gradients(ada.state())["dlogits"]
    ada.submit_tensors({"dlogits": right * 2})
    ada.submit_tensors({"dlogits": right}, exercise="makemore/cross-entropy")
    ada.submit_tensors({"dlogits": right})

    seen = house.instructor.get(ANALYTICS).json()

    of_all = [_found(seen, slug, "logits") for slug in (FULL, "makemore/cross-entropy")]
    assert [(each["tried"], each["passed"]) for each in of_all] == [(1, 1), (1, 0)]
    assert [each["attempts_to_pass"] for each in of_all] == [2.0, None]


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_the_first_pass_of_each_student_counts(house: House, ada: Student) -> None:
    for student in (ada, house.join("Bob")):
        right = gradients(student.state())["dlogits"]
        for tensor in (right * 2, right, right):
            student.submit_tensors({"dlogits": tensor})

    told = checkpoint(house, "logits")

    assert (told["tried"], told["passed"], told["attempts_to_pass"]) == (2, 2, 2.0)


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_the_commonest_mistake_and_hint_come_first(house: House, ada: Student) -> None:
    first = ada.submit_code(TURNED).json()["id"]
    house.join("Bob").submit_code(ONE_PATH)
    tie = [each["code"] for each in checkpoint(house, "counts")["mistakes"]]
    cleo = house.join("Cleo")
    for _ in range(2):
        cleo.submit_code(TURNED)
    house.grade_again(first, "counts", diagnosis=[{"code": "sign", "hints": ["Rare.", "", ""]}])

    mistakes = checkpoint(house, "counts")["mistakes"]

    assert tie == ["missing_term", "sign"]
    assert [(each["code"], each["students"], each["share"]) for each in mistakes] == [
        ("sign", 2, 2 / 3),
        ("missing_term", 1, 1 / 3),
    ]
    assert mistakes[0]["told"] != "Rare."


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("origin", ["inherited", None])
def test_only_an_own_mistake_is_counted(house: House, ada: Student, origin: str | None) -> None:
    id = ada.submit_code(ONE_PATH).json()["id"]

    house.grade_again(id, "counts", origin=origin)

    assert checkpoint(house, "counts")["mistakes"] == []


def _found(analytics: dict[str, Any], exercise: str, name: str) -> dict[str, Any]:
    """A checkpoint of an exercise."""
    (checkpoints,) = [each["checkpoints"] for each in analytics["exercises"] if each["exercise"] == exercise]
    (found,) = [each for each in checkpoints if each["name"] == name]
    assert isinstance(found, dict)
    return found


def test_it_is_of_the_students_and_for_the_staff(house: House, ada: Student) -> None:
    house.instructor.submit_code(ONE_PATH)
    assert checkpoint(house, "counts")["tried"] == 0
    assert is_problem(ada.get(ANALYTICS), 403)
    assert is_problem(house.instructor.get("/api/v1/courses/other/analytics"), 404)
    assert is_problem(house.instructor.get(ANALYTICS, params={"exercise": "makemore/nothing"}), 404)


def test_a_class_is_counted_in_as_many_queries_as_one_student(house: House, ada: Student) -> None:
    ada.submit_code(ONE_PATH)
    few = _queries(house)
    for number in range(5):
        house.join(f"Student {number}").submit_code(TURNED)
    assert _queries(house) == few


def _queries(house: House) -> int:
    """How many statements the analytics take; the workers, who look for work meanwhile, are left out."""
    seen: list[str] = []
    engine = house.services.database.engine

    def count(connection: object, cursor: object, statement: str, *rest: object) -> None:
        if not threading.current_thread().name.startswith("worker-"):
            seen.append(statement)

    event.listen(engine, "before_cursor_execute", count)
    house.instructor.get(ANALYTICS)
    event.remove(engine, "before_cursor_execute", count)
    return len(seen)


def test_there_are_words_for_every_kind_of_mistake() -> None:
    kinds = {kind for mistake in catalogue.load() for kind in mistake.codes}
    assert len(kinds) > 10
    assert kinds - set(DEEDS) == set()
