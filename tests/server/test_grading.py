"""Grading: what is stored of a run, whatever it printed."""

from __future__ import annotations

import pytest
from sqlmodel import select

from server.models import Grade
from tests.server.house import SOLUTION, House, Student, gradients


@pytest.mark.parametrize("text", ["\\ud800", "\\0"])
def test_what_no_database_takes_is_replaced(house: House, ada: Student, text: str) -> None:
    answer = ada.submit_code(f"print('a{text}b')\n{SOLUTION}\nraise ValueError('a{text}b')")

    run = answer.json()["grade"]["run"]
    assert answer.status_code == 201
    assert run["message"][0] + run["message"][-1] == "ab" and len(run["message"]) == 3
    assert run["stdout"] == run["message"] + "\n"


def test_a_grade_says_how_long_it_took(house: House, ada: Student) -> None:
    ada.submit_code(SOLUTION)
    ada.submit_tensors(gradients(ada.state()))

    with house.services.database.reading() as session:
        assert all(grade.seconds > 0 for grade in session.exec(select(Grade)))


def test_a_grade_counts_what_only_inherits(house: House, ada: Student) -> None:
    grade = ada.submit_code(SOLUTION.replace("dhprebn = ", "dhprebn = 2 * ")).json()["grade"]

    with house.services.database.reading() as session:
        stored = session.exec(select(Grade)).one()
    inherited = sum(row["origin"] == "inherited" for row in grade["checkpoints"])
    assert (stored.passed, stored.exact, stored.inherited, stored.total) == (
        grade["passed"],
        grade["exact"],
        inherited,
        26,
    )
    assert inherited > 0


def test_a_ticket_goes_with_its_own_grade_alone(house: House, ada: Student) -> None:
    house.services.dispatcher.stop()
    first, second = (ada.submit_code(SOLUTION, wait=0).json()["id"] for _ in range(2))

    house.services.grading.grade_submission(first)

    told = [ada.get(f"/api/v1/submissions/{id}").json()["status"] for id in (first, second)]
    assert told == ["graded", "queued"]
