"""Analytics: what a class makes of each checkpoint."""

from __future__ import annotations

import threading
from typing import Any

from sqlalchemy import event, update
from sqlmodel import col, select

from exercises.catalog import CATALOG
from server.models import ComparisonRow, Grade
from tests.server.house import FULL, SOLUTION, House, Student, gradients, is_problem

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
    ada.submit_code(ONE_PATH)
    with house.services.database.writing() as session:
        grade = session.exec(select(Grade)).one()
        rows = session.exec(select(ComparisonRow).where(ComparisonRow.name == "counts")).all()
        again = Grade(**grade.model_dump(exclude={"id", "environment"}), environment="another")
        session.add(again)
        session.flush()
        for row in rows:
            session.add(ComparisonRow(**row.model_dump(exclude={"grade_id"}), grade_id=again.id))
        session.flush()
        session.exec(
            update(ComparisonRow)
            .where(col(ComparisonRow.grade_id) == again.id)
            .values(verdict="exact", approximate=True, origin=None, diagnosis=[])
        )
    told = checkpoint(house, "counts")
    assert (told["tried"], told["passed"], told["mistakes"]) == (1, 1, [])


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
