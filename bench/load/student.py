"""A student on an evening, who waits for each answer as a person does, and comes again where the server says so."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from http.client import HTTPException
from typing import Any

from bench.guest import Guest, Reply
from bench.house import COURSE, SUBMISSIONS
from bench.load.evening import MISTAKEN, SOLUTION, Deed, Files
from bench.load.tally import Tally

PAUSE_SECONDS = 0.5  # after a request without an answer


@dataclass
class Student:
    """``steps`` are the files of their answers; ``deadline``, of ``time.monotonic``, is when they give
    up."""

    guest: Guest
    name: str
    steps: Files
    tally: Tally
    deadline: float
    acknowledged: set[int] = field(default_factory=set)

    def play(self, begin: float, plan: Sequence[Deed]) -> None:
        """Do everything at its moment after ``begin``, or as soon after it as the answer before is there."""
        for number, deed in enumerate(plan):
            time.sleep(max(0.0, begin + deed.seconds - time.monotonic()))
            sent = time.monotonic()
            if sent > self.deadline:
                return
            self.tally.count_sent(sent - begin - deed.seconds)
            self._see_through(deed, f"{self.name}-{number}", sent)

    def _see_through(self, deed: Deed, key: str, sent: float) -> None:
        """Ask for the grade, with the same key each time, until it is there; a request that says 202 has waited."""
        while time.monotonic() < self.deadline:
            try:
                reply = self._hand_in(deed, key)
            except (OSError, HTTPException) as error:
                self.tally.count_answer(type(error).__name__)
                time.sleep(PAUSE_SECONDS)
                continue
            self.tally.count_answer(str(reply.status))
            if reply.status in (429, 503):
                time.sleep(float(reply.headers["retry-after"]))
            elif reply.status not in (201, 202):
                return
            else:
                submission = reply.json()
                self.acknowledged.add(submission["id"])
                if submission["status"] == "graded":
                    deserved = _deserved(deed, submission["grade"])
                    self.tally.count_grade(submission["kind"], time.monotonic() - sent, right=deserved)
                    return

    def _hand_in(self, deed: Deed, key: str) -> Reply:
        if deed.step is None:
            return self.guest.submit_code(SUBMISSIONS, SOLUTION if deed.right else MISTAKEN, key=key)
        return self.guest.submit_tensors(SUBMISSIONS, self.steps[deed.step, deed.right], key=key)

    def look_back(self) -> None:
        """Count what was acknowledged, and what of it has no grade now."""
        listed = self.guest.get(f"/api/v1/courses/{COURSE}/submissions?limit=500").json()["submissions"]
        graded = {each["id"] for each in listed if each["status"] == "graded"}
        self.tally.count_kept(len(self.acknowledged), len(self.acknowledged - graded))


def _deserved(deed: Deed, grade: dict[str, Any]) -> bool:
    """Whether the grade is the one that was deserved: exact, or a mistake of their own that is told."""
    told = any(row["origin"] == "own" and row["diagnosis"] for row in grade["checkpoints"])
    asked = 1 if deed.step else grade["total"]
    return bool(grade["exact"] == asked and not told) if deed.right else bool(grade["passed"] < asked and told)
