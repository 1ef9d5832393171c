"""A regrade on an evening, as an instructor starts it and looks at it until it is over."""

from __future__ import annotations

import time
from dataclasses import dataclass

from bench.guest import Guest
from bench.house import COURSE

REGRADE = f"/api/v1/courses/{COURSE}/regrade"
LOOK_SECONDS = 2.0


@dataclass
class Regrade:
    """Of ``old`` submissions; ``done`` are graded again, ``otherwise`` are those that came out otherwise. ``begun``
    and ``ended`` are in seconds after the beginning of the evening."""

    guest: Guest
    old: int
    done: int = 0
    otherwise: int = 0
    begun: float | None = None
    ended: float | None = None

    def play(self, begin: float, after: float, deadline: float) -> None:
        """Start it ``after`` so many seconds."""
        time.sleep(after)
        self.begun = time.monotonic() - begin
        self.guest.post(REGRADE)
        while self.ended is None and time.monotonic() < deadline:
            time.sleep(LOOK_SECONDS)
            found = self.guest.get(REGRADE).json()
            self.done, self.otherwise = found["regraded"], len(found["changed"])
            if self.done == self.old:
                self.ended = time.monotonic() - begin

    @property
    def seconds(self) -> float | None:
        """How long it took, to within a look."""
        return None if self.begun is None or self.ended is None else self.ended - self.begun
