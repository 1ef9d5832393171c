"""Similarity: what few share points at pairs; what many share, and what the exercise gives, points at nobody."""

from __future__ import annotations

from typing import Any

import pytest

from server.reports.similarity import RARE_MAX, SHARED_MIN, Place, find_pairs
from tests.support.sections import sectioned
from tests.support.servers import FULL, SOLUTION, RunningServer, Student, is_problem

SIMILARITY = "/api/v1/courses/backprop/similarity"
ONE_PATH = SOLUTION.replace("dcounts = dprobs * counts_sum_inv + dcounts_sum", "dcounts = dprobs * counts_sum_inv")
OWN_WAY = """
total = 0
for row in range(n):
    for column in range(vocab_size):
        if column == Yb[row]:
            total = total + (logits[row, column] - 3) / (7 + row) ** 2
        else:
            total -= [row, column, (row // 2) % 5][column % 3]
"""


def pairs(caller: Student, **params: Any) -> list[dict[str, Any]]:
    answer = caller.get(SIMILARITY, params={"exercise": FULL} | params)
    assert answer.status_code == 200, answer.text
    assert "no verdicts" in answer.json()["note"]
    found: list[dict[str, Any]] = answer.json()["pairs"]
    return found


def test_renamed_code_that_two_share_is_shown_with_its_lines(server: RunningServer) -> None:
    sources = {
        "Ada": SOLUTION + OWN_WAY,
        "Bob": "# mine\n" + OWN_WAY.replace("total", "acc").replace("row", "i") + SOLUTION,
        "Cleo": SOLUTION,
        "Dora": SOLUTION,
    }
    ids = {name: server.join(name).submit_code(source).json()["id"] for name, source in sources.items()}

    (pair,) = pairs(server.instructor)

    assert [each["name"] for each in pair["students"]] == ["Ada", "Bob"]
    assert pair["shared_fingerprints"] >= 4
    (passage, *_) = pair["passages"]
    own_lines = range(len(SOLUTION.splitlines()) + 1, len(SOLUTION.splitlines()) + len(OWN_WAY.splitlines()) + 1)
    assert passage["one"]["submission"] == ids["Ada"]
    assert passage["other"]["submission"] == ids["Bob"]
    assert passage["one"]["last"] in own_lines
    assert passage["other"]["first"] <= len(OWN_WAY.splitlines()) + 1


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_the_exercises_own_solution_points_at_nobody(server: RunningServer) -> None:
    for name in ("Ada", "Bob"):
        server.join(name).submit_code(SOLUTION)

    assert pairs(server.instructor) == []


def test_a_rare_mistake_that_two_share_is_shown(server: RunningServer) -> None:
    ids = {
        name: server.join(name).submit_code(source).json()["id"]
        for name, source in {"Ada": ONE_PATH, "Bob": ONE_PATH, "Cleo": SOLUTION}.items()
    }

    (pair,) = pairs(server.instructor)

    assert [each["name"] for each in pair["students"]] == ["Ada", "Bob"]
    assert pair["mistakes"] == [
        {
            "checkpoint": "counts",
            "code": "missing_term",
            "students": 2,
            "message": "2 students left out a path at counts",
            "submissions": [ids["Ada"], ids["Bob"]],
        }
    ]


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_a_mistake_that_many_make_points_at_nobody(server: RunningServer) -> None:
    for name in ("Ada", "Bob", "Cleo"):
        server.join(name).submit_code(ONE_PATH)

    assert pairs(server.instructor) == []


def test_what_more_than_a_few_share_is_never_rare() -> None:
    place = Place(1, 1, 1)
    shared = {number: dict.fromkeys(range(SHARED_MIN), place) for number in range(RARE_MAX)}
    others = {number: {number: place} for number in range(1_000, 2_000)}

    assert len(find_pairs(shared | others, {})) == RARE_MAX * (RARE_MAX - 1) / 2
    assert find_pairs(shared | others | {RARE_MAX: shared[0]}, {}) == {}


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_an_assistant_of_a_section_sees_its_pairs_alone(server: RunningServer, student: Student) -> None:
    assistant = sectioned(server, {"Bob": "A", "Cleo": "B"}, ONE_PATH)

    assert pairs(assistant) == []
    assert len(pairs(server.instructor)) == 1
    assert is_problem(assistant.get(SIMILARITY, params={"section": "B"}), 403)
    assert is_problem(student.get(SIMILARITY), 403)
