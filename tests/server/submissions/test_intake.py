"""Waiting for a grade: who waits in the process that grades is shown what was just stored, as a reader would be."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx2 as httpx
import pytest
from sqlalchemy import event

from grader.sandbox import Job
from server.database.table import now
from server.tables import Feedback, LatePolicy
from tests.support.assigned import HOUR, assign, extend
from tests.support.servers import SOLUTION, FakeSandbox, RunningServer, Student, eventually

LATE: dict[str, Any] = {"late_policy": LatePolicy.DAILY, "late_per_day": 0.1, "late_floor": 0, "points": 26.0}
TWICE = SOLUTION.replace("dhprebn = ", "dhprebn = 2 * ")
ANSWERS = {
    "right": SOLUTION,
    "a mistake that others inherit": TWICE,
    "a factor and a term": TWICE.replace("dcounts = dprobs * counts_sum_inv + dcounts_sum", "dcounts = dcounts_sum"),
    "other dtypes and shapes": f"{SOLUTION}\ndh, db2, dW2 = dh.double(), db2[None], dW2 * float('inf')",
    "stopped": f"print('a\\0b\\ud800')\n{SOLUTION}\nraise ValueError('\\0')",
    "nothing": "pass",
}
RULES = {
    "practice": {},
    "not due": {"feedback": Feedback.AFTER_DUE, "due_at": now() + HOUR},
    "shown after it was due": {"feedback": Feedback.AFTER_DUE, "due_at": now() - HOUR},
    "too few attempts": {"feedback": Feedback.AFTER_ATTEMPTS, "feedback_after": 2},
    "first attempt shows": {"feedback": Feedback.AFTER_ATTEMPTS, "feedback_after": 1},
    "late": {"due_at": now() - 30 * HOUR, **LATE},
    "weighted": {"checkpoint_points": {"logits": 5.0}, "approximate_share": 0.5, "inherited_share": 0.25},
    "a kind alone": {"hint_levels": 1},
    "hints at the second try": {"hint_levels": 3, "hints_after": 1, "counterexamples": False},
}


@dataclass
class Waited:
    """Hands in, and grades when the request waits. It notes whether rows of a grade were read meanwhile."""

    server: RunningServer
    fake_sandbox: FakeSandbox
    reads: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        def hold(job: Job) -> None:
            if job.source:
                assert eventually(lambda: self.server.services.signals.waiting == 1)

        self.fake_sandbox.before = hold

    def note(self, *arguments: Any) -> None:
        """Note a statement that reads rows of a grade."""
        if "FROM comparison" in arguments[2]:
            self.reads.append(arguments[2])

    def hand_in(self, student: Student, source: str) -> tuple[httpx.Response, httpx.Response]:
        """Return the answer to who waited for the grade, and the answer to the same request again."""
        key = {"Idempotency-Key": f"key-{len(source)}"}
        self.reads.clear()
        waited = student.submit_code(source, headers=key)
        assert not self.reads
        again = student.submit_code(source, headers=key)
        return waited, again


@pytest.fixture
def waited(server: RunningServer, fake_sandbox: FakeSandbox) -> Iterator[Waited]:
    """Who hands in."""
    found, engine = Waited(server, fake_sandbox), server.services.database.engine
    event.listen(engine, "before_cursor_execute", found.note)
    yield found
    event.remove(engine, "before_cursor_execute", found.note)


@pytest.mark.parametrize("source", ANSWERS.values(), ids=ANSWERS.keys())
def test_a_fresh_grade_is_shown_as_it_would_be_read(waited: Waited, student: Student, source: str) -> None:
    first, again = waited.hand_in(student, source)

    assert (first.status_code, first.content) == (201, again.content)
    assert waited.reads


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("fields", RULES.values(), ids=RULES.keys())
def test_the_rules_show_as_much_of_a_fresh_grade(waited: Waited, student: Student, fields: dict[str, Any]) -> None:
    assign(waited.server, **fields)
    extend(waited.server, student, hours=-29)  # it shortens what is late

    for who in (student, waited.server.instructor):
        first, again = waited.hand_in(who, TWICE)

        assert (first.status_code, first.content) == (201, again.content)


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_each_attempt_counts_when_its_fresh_grade_is_shown(waited: Waited, student: Student) -> None:
    assign(waited.server, feedback=Feedback.AFTER_ATTEMPTS, feedback_after=2)

    shown = []
    for source in (SOLUTION, TWICE):
        first, again = waited.hand_in(student, source)
        assert first.content == again.content
        shown.append(first.json()["grade"]["feedback"])

    assert shown == ["withheld", "shown"]


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_nobody_is_shown_an_older_grade_than_the_newest(waited: Waited, student: Student) -> None:
    first, _ = waited.hand_in(student, SOLUTION)
    waited.server.grade_again(first.json()["id"], "logits", verdict="wrong", exact=False)

    again = student.submit_code(SOLUTION, headers={"Idempotency-Key": f"key-{len(SOLUTION)}"})

    verdicts = {row["name"]: row["verdict"] for row in again.json()["grade"]["checkpoints"]}
    assert (verdicts["logits"], verdicts["probs"]) == ("wrong", "exact")
