"""The tally: what became of everything that was handed in."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Sequence

from bench.figures import Times

PERCENTS = (50, 95, 99)


class Tally:
    """Counts for all students at once. Thread-safe.

    ``times`` are from handing in to the grade, by kind. ``late`` is how long after its planned moment something was
    handed in, because the answer before was not there yet. All are in seconds.
    """

    def __init__(self) -> None:
        self.times: dict[str, list[float]] = {"tensors": [], "code": []}
        self.late: list[float] = []
        self.statuses: Counter[str] = Counter()
        self.ended = 0.0  # when the last grade came, of time.monotonic
        self.acknowledged = 0
        self.wrong = 0
        self.lost = 0
        self._lock = threading.Lock()

    @property
    def graded(self) -> int:
        """How many grades have come back."""
        return sum(map(len, self.times.values()))

    def count_answer(self, status: str) -> None:
        """Count an answer by its status, or a request without an answer by its error."""
        with self._lock:
            self.statuses[status] += 1

    def count_sent(self, late_seconds: float) -> None:
        """Count something that is handed in for the first time."""
        with self._lock:
            self.late.append(late_seconds)

    def count_grade(self, kind: str, seconds: float, *, is_right: bool) -> None:
        """Count a grade, and whether it is the one that was earned."""
        with self._lock:
            self.times[kind].append(seconds)
            self.ended = time.monotonic()
            self.wrong += not is_right

    def count_acknowledged(self, acknowledged: int, lost: int) -> None:
        """Count a student's acknowledged submissions at the end, and how many have no grade."""
        with self._lock:
            self.acknowledged += acknowledged
            self.lost += lost


def percentiles(seconds: Sequence[float]) -> dict[str, float | int]:
    """Return the percentiles of some times in milliseconds, for ``bench/load.json``."""
    if not seconds:
        return {"n": 0}
    times = Times.of(seconds)
    return {f"p{each}_ms": round(times.percentile_ms(each), 2) for each in PERCENTS} | {"n": len(seconds)}
