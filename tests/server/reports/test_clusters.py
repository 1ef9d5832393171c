"""Clusters: answers that are wrong alike stand together, whatever their numbers."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from functools import cache
from typing import Any

import pytest
import torch
from sqlmodel import Session, insert

from exercises.instance import Instance, Kind
from exercises.registry import find
from grader import numerics
from grader.compare import Comparison
from server.database.engine import Database
from server.database.table import now
from server.tables import (
    AccountRow,
    AnswerKind,
    ComparisonRow,
    GradeRow,
    InstanceRow,
    SeatRow,
    SubmissionRow,
)
from tests.mistakes.catalogue import Mistake, source
from tests.mistakes.play import play
from tests.support.sections import sectioned
from tests.support.servers import FULL, SOLUTION, RunningServer, Student, gradients, is_problem

CLUSTERS = "/api/v1/courses/backprop/clusters"
ONE_PATH = SOLUTION.replace("dcounts = dprobs * counts_sum_inv + dcounts_sum", "dcounts = dprobs * counts_sum_inv")

RIGHT_COUNTS = next(line for line in SOLUTION.splitlines() if line.startswith("dcounts ="))

# Ten ways to be wrong: the step, the right line, and what stands in its place.
KINDS = [
    Mistake(FULL, step, frozenset(), (right,), (wrong,))
    for step, right, wrong in (
        ("hpreact", "dhpreact = (1.0 - h**2) * dh", "dhpreact = h**2 * dh"),
        ("hpreact", "dhpreact = (1.0 - h**2) * dh", "dhpreact = (1.0 + h**2) * dh"),
        ("hpreact", "dhpreact = (1.0 - h**2) * dh", "dhpreact = (1.0 - h) * dh"),
        ("hpreact", "dhpreact = (1.0 - h**2) * dh", "dhpreact = dh"),
        ("h", "dh = dlogits @ W2.T", "dh = -dlogits @ W2.T"),
        ("h", "dh = dlogits @ W2.T", "dh = 2 * dlogits @ W2.T"),
        ("W2", "dW2 = h.T @ dlogits", "dW2 = h.T @ dlogits / n"),
        ("logprobs", "dlogprobs[range(n), Yb] = -1.0 / n", "dlogprobs[range(n), Yb] = -1.0"),
        ("counts", RIGHT_COUNTS, RIGHT_COUNTS.replace(" + dcounts_sum  #", "  #")),
        ("counts", RIGHT_COUNTS, RIGHT_COUNTS.replace(" + ", " - ")),
    )
]
INSTANCES = 3
ANSWERS = 300


@cache
def rows_of(kind: int, seed: int) -> Sequence[Comparison]:
    """The rows of an answer with a mistake on drawn numbers, by the real grader."""
    return play(Instance.draw(find(FULL), seed, Kind.HIDDEN), source(FULL, [KINDS[kind]]))


def write_answers(session: Session) -> dict[int, int]:
    """Write a class whose answers have one mistake each; return the kind by submission."""
    exercise = find(FULL)
    instance = InstanceRow(
        exercise=FULL, revision=exercise.revision, kind="canonical", dataset="", digest="", state=b""
    )
    session.add(instance)
    accounts = [AccountRow(name=f"Student {number:03d}") for number in range(ANSWERS)]
    session.add_all(accounts)
    session.flush()
    session.add_all([SeatRow(course_id=1, account_id=each.id) for each in accounts])
    session.flush()
    fixed: dict[str, Any] = {"course_id": 1, "exercise": FULL, "revision": exercise.revision, "attempt": 1}
    fixed |= {"kind": AnswerKind.CODE, "body": b"", "digest": ""}
    submissions = [SubmissionRow(account_id=each.id, **fixed) for each in accounts]
    session.add_all(submissions)
    session.flush()
    counts = {"passed": 0, "exact": 0, "total": len(exercise.checkpoints), "seconds": 0.01}
    where = {"instance_id": instance.id, "revision": exercise.revision, "environment": numerics.environment()}
    grades = [GradeRow(submission_id=each.id, **where, **counts) for each in submissions]  # type: ignore[arg-type]
    session.add_all(grades)
    session.flush()
    kinds = {each.id: number % len(KINDS) for number, each in enumerate(submissions)}
    session.execute(
        insert(ComparisonRow),
        [
            {"grade_id": grade.id, "position": position, "pattern": row.pattern} | row.as_json()
            for number, grade in enumerate(grades)
            for position, row in enumerate(rows_of(kinds[grade.submission_id], number // len(KINDS) % INSTANCES))
        ],
    )
    return kinds


def groups(caller: Student, **params: Any) -> list[dict[str, Any]]:
    answer = caller.get(CLUSTERS, params=params)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["groups"]
    return found


def test_three_hundred_answers_of_ten_kinds_are_ten_groups(server: RunningServer) -> None:
    with server.services.database.writing() as session:
        kinds = write_answers(session)

    found = groups(server.instructor, exercise=FULL)

    made = [{kinds[member["submission"]] for member in group["members"]} for group in found]
    assert len(found) <= 15
    assert [len(each) for each in made] == [1] * len(found), "a group mixes kinds"
    assert Counter(group["students"] for group in found).total() == len(found)
    assert sum(group["answers"] for group in found) == ANSWERS
    by_kind: dict[int, int] = defaultdict(int)
    for (kind,), group in zip(made, found, strict=True):
        by_kind[kind] += group["students"]
    assert by_kind == dict.fromkeys(range(len(KINDS)), ANSWERS // len(KINDS))


def test_a_group_has_all_that_a_comment_needs(server: RunningServer) -> None:
    students = {name: server.join(name) for name in ("Ada", "Bob")}
    last = {}
    for name, sources in {"Ada": [ONE_PATH, ONE_PATH, SOLUTION], "Bob": [ONE_PATH]}.items():
        ids = [students[name].submit_code(each).json()["id"] for each in sources]
        last[name] = ids[1 if name == "Ada" else 0]

    (group,) = groups(server.instructor, exercise=FULL)

    assert (group["checkpoint"], group["code"], group["answers"], group["students"]) == ("counts", "missing_term", 3, 2)
    assert (group["unsolved"], group["example_submission"]) == (1, last["Bob"])
    assert group["message"] == "2 students left out a path at counts"
    assert group["hints"][0].startswith("counts is used twice")
    assert group["members"] == [
        {"student": {"id": students[name].id, "name": name}, "submission": last[name], "solved": name == "Ada"}
        for name in ("Ada", "Bob")
    ]


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_a_checkpoint_and_a_limit_choose_groups(server: RunningServer, student: Student) -> None:
    right = gradients(student.state())
    student.submit_tensors({"dlogits": right["dlogits"], "dh": right["dh"] * 3})
    student.submit_tensors(right | {"dhpreact": right["dhpreact"] * 5, "dh": right["dh"] * 3})

    names = [group["checkpoint"] for group in groups(server.instructor)]

    assert sorted(names) == ["h", "hpreact"]
    assert [group["checkpoint"] for group in groups(server.instructor, checkpoint="hpreact")] == ["hpreact"]
    assert [group["checkpoint"] for group in groups(server.instructor, limit=1)] == names[:1]


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_what_cannot_be_compared_stands_together(server: RunningServer) -> None:
    for name, columns in {"Ada": 5, "Bob": 7}.items():
        server.join(name).submit_tensors({"dlogits": torch.zeros(3, columns, dtype=torch.complex64)})

    (group,) = groups(server.instructor)

    assert (group["verdict"], group["code"], group["students"]) == ("dtype", None, 2)
    assert group["message"] == "2 students have another dtype at logits"


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_who_was_erased_counts_and_is_not_named(server: RunningServer) -> None:
    for name in ("Ada", "Bob"):
        last = server.join(name)
        last.submit_code(ONE_PATH)
    with server.services.database.writing() as session:
        session.get_one(AccountRow, last.id).erased_at = now()

    (group,) = groups(server.instructor)

    assert (group["students"], [member["student"]["name"] for member in group["members"]]) == (2, ["Ada"])
    assert group["example_submission"] == group["members"][0]["submission"]


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_a_row_of_before_has_a_pattern_of_words(server: RunningServer) -> None:
    for name in ("Ada", "Bob"):
        server.join(name).submit_code(ONE_PATH)
    _forget_patterns(server.services.database)

    (group,) = groups(server.instructor)

    assert (group["students"], group["code"]) == (2, "missing_term")


def _forget_patterns(database: Database) -> None:
    with database.writing() as session:
        session.connection().exec_driver_sql("UPDATE comparison SET pattern = NULL")


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_an_assistant_of_a_section_sees_its_mistakes_alone(server: RunningServer, student: Student) -> None:
    assistant = sectioned(server, {"Bob": "A", "Cleo": "B"}, ONE_PATH)

    ((mine,), (all_,)) = groups(assistant), groups(server.instructor)

    assert [member["student"]["name"] for member in mine["members"]] == ["Bob"]
    assert (mine["students"], all_["students"]) == (1, 2)
    assert is_problem(assistant.get(CLUSTERS, params={"section": "B"}), 403)
    assert is_problem(student.get(CLUSTERS), 403)


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_students_never_see_a_pattern(student: Student) -> None:
    answer = student.submit_code(ONE_PATH)

    assert "pattern" not in answer.text
