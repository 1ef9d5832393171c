"""A student in the deadline load: waits for each answer as a person does, and comes again when the server says so."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from http.client import HTTPException
from typing import Any

from bench.http_client import HttpClient, Reply
from bench.load.deadline_load import SOLUTION, WRONG_SOLUTION, Action, AnswerFiles
from bench.load.tally import Tally
from bench.test_server import COURSE, SUBMISSIONS

PAUSE_SECONDS = 0.5  # after a request without an answer


@dataclass
class LoadStudent:
    """A student with a connection of their own, who gives up at ``deadline``, of ``time.monotonic``."""

    client: HttpClient
    name: str
    answers: AnswerFiles
    tally: Tally
    deadline: float
    acknowledged: set[int] = field(default_factory=set)

    def run(self, begin: float, plan: Sequence[Action]) -> None:
        """Do each action at its moment after ``begin``, or as soon afterwards as the one before has its answer."""
        for number, action in enumerate(plan):
            time.sleep(max(0.0, begin + action.seconds - time.monotonic()))
            sent = time.monotonic()
            if sent > self.deadline:
                return
            self.tally.count_sent(sent - begin - action.seconds)
            self._submit_until_graded(action, f"{self.name}-{number}", sent)

    def count_lost(self) -> None:
        """Count what was acknowledged, and what of it has no grade now."""
        listed = self.client.get(f"/api/v1/courses/{COURSE}/submissions?limit=500").json()["submissions"]
        graded = {each["id"] for each in listed if each["status"] == "graded"}
        self.tally.count_acknowledged(len(self.acknowledged), len(self.acknowledged - graded))

    def _submit_until_graded(self, action: Action, key: str, sent: float) -> None:
        """Ask for the grade with the same key until it is there. A request that ends with 202 has waited."""
        while time.monotonic() < self.deadline:
            try:
                reply = self._submit(action, key)
            except (OSError, HTTPException) as error:
                self.tally.count_answer(type(error).__name__)
                time.sleep(PAUSE_SECONDS)
                continue
            self.tally.count_answer(str(reply.status))
            if reply.status in (429, 503):
                time.sleep(float(reply.headers["retry-after"]))
            elif reply.status not in (201, 202) or self._is_graded(reply, action, sent):
                return

    def _is_graded(self, reply: Reply, action: Action, sent: float) -> bool:
        """Count an acknowledged submission, and its grade if it has one."""
        submission = reply.json()
        self.acknowledged.add(submission["id"])
        if submission["status"] != "graded":
            return False
        is_right = _is_grade_right(action, submission["grade"])
        self.tally.count_grade(submission["kind"], time.monotonic() - sent, is_right=is_right)
        return True

    def _submit(self, action: Action, key: str) -> Reply:
        if action.step is None:
            source = SOLUTION if action.is_right else WRONG_SOLUTION
            return self.client.submit_code(SUBMISSIONS, source, key=key)
        return self.client.submit_tensors(SUBMISSIONS, self.answers[action.step, action.is_right], key=key)


def _is_grade_right(action: Action, grade: dict[str, Any]) -> bool:
    """Return whether a grade is the one that was earned: exact, or a mistake of the student's own, diagnosed.

    Whose mistake a step alone is, nobody knows without those above it, and a note says so.
    """
    rows = grade["checkpoints"]
    is_diagnosed = any(row["origin"] == "own" and row["diagnosis"] for row in rows)
    is_explained = is_diagnosed or (action.step and any(row["origin"] == "unknown" and row["notes"] for row in rows))
    asked = 1 if action.step else grade["total"]
    if action.is_right:
        return bool(grade["exact"] == asked and not is_diagnosed)
    return bool(grade["passed"] < asked and is_explained)
