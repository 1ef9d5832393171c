"""The tally: what became of everything that was handed in."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Sequence

from bench.figures import Times


class Tally:
    """Kept by all students at once; one lock over everything.

    ``times`` are from handing in to the grade, by kind; ``late`` is how long after its moment something was handed
    in, because the answer before was still on its way. All in seconds.
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
        """The server has answered something that was handed in; or what kept it from that."""
        with self._lock:
            self.statuses[status] += 1

    def count_sent(self, late: float) -> None:
        """Something is handed in for the first time."""
        with self._lock:
            self.late.append(late)

    def count_grade(self, kind: str, seconds: float, *, right: bool) -> None:
        """A grade has come back, and whether it is the one that was deserved."""
        with self._lock:
            self.times[kind].append(seconds)
            self.ended = time.monotonic()
            self.wrong += not right

    def count_kept(self, acknowledged: int, lost: int) -> None:
        """In the end: so many of a student's were acknowledged, and so many of those have no grade."""
        with self._lock:
            self.acknowledged += acknowledged
            self.lost += lost


def percentiles(seconds: Sequence[float]) -> dict[str, float | int]:
    """Of some times, for ``bench/load.json``."""
    if not seconds:
        return {"n": 0}
    times = Times.of(seconds)
    return {f"p{each}_ms": round(times.percentile_ms(each), 2) for each in (50, 95, 99)} | {"n": len(seconds)}
