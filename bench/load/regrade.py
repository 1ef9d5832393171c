"""A regrade during the deadline load, as an instructor starts it and watches it until it is done."""

from __future__ import annotations

import time
from dataclasses import dataclass

from bench.http_client import HttpClient
from bench.test_server import COURSE

REGRADE = f"/api/v1/courses/{COURSE}/regrade"
POLL_SECONDS = 2.0


@dataclass
class Regrade:
    """A regrade of ``old`` submissions.

    ``done`` counts those that are graded again, and ``changed`` those whose grade is another one now. ``begun`` and
    ``ended`` are in seconds after the beginning of the load; both are None before.
    """

    client: HttpClient
    old: int
    done: int = 0
    changed: int = 0
    begun: float | None = None
    ended: float | None = None

    def run(self, begin: float, after_seconds: float, deadline: float) -> None:
        """Start it after so many seconds, and watch it until its end or the deadline, of ``time.monotonic``."""
        time.sleep(after_seconds)
        self.begun = time.monotonic() - begin
        self.client.post(REGRADE)
        while self.ended is None and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
            report = self.client.get(REGRADE).json()
            self.done, self.changed = report["regraded"], len(report["changed"])
            if self.done == self.old:
                self.ended = time.monotonic() - begin

    @property
    def seconds(self) -> float | None:
        """How long it took, to within ``POLL_SECONDS``; None if it is not done."""
        return None if self.begun is None or self.ended is None else self.ended - self.begun
