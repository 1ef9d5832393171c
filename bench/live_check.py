"""Live checks on the workbench: 30 students type at once, and each pause of theirs is answered with verdicts.

A typist sends the whole file after each pause, some two seconds apart, as the page's script does; every third file has
a mistake, so that it is diagnosed and its picture drawn. What is measured is the time from sending to the last byte of
the parts that the page shows. ``python -m bench.live_check`` runs it alone.
"""

from __future__ import annotations

import random
import re
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import Final
from urllib.parse import urlencode

from bench.http_client import IDLE_SECONDS_MAX
from bench.test_server import COURSE, EXERCISE, BenchServer, run_server
from exercises.registry import find
from server.http.token_gate import SESSION_COOKIE

TYPISTS: Final = 30
PAUSES: Final = 12  # of each typist
BETWEEN_SECONDS: Final = (1.0, 3.0)  # from one pause to the next
GOAL_MS: Final = 150.0
BENCH: Final = f"/courses/{COURSE}/exercises/{EXERCISE}"
SOLUTION: Final = find(EXERCISE).solution
MISTAKE: Final = SOLUTION.replace(" + 2 * bndiff * dbndiff2", "")


@dataclass(frozen=True)
class Answers:
    """What the typists saw: seconds of the checks that were answered, and how many were put off."""

    seconds: Sequence[float]
    put_off: int

    def percentile(self, share: float) -> float:
        """Return the milliseconds within which this share of the checks was answered."""
        ordered = sorted(self.seconds)
        return 1000 * ordered[min(int(share * len(ordered)), len(ordered) - 1)]


class Typist:
    """A student at the workbench, on a connection of their own."""

    def __init__(self, server: BenchServer, number: int) -> None:
        self._connection = HTTPConnection(*server.address, timeout=60)
        self._cookie = {"Cookie": f"{SESSION_COOKIE}={server.students[number]}"}
        self._random = random.Random(number)
        self._form_token = ""
        self._last_used = 0.0
        self.seconds: list[float] = []
        self.put_off = 0

    def sit_down(self) -> None:
        """Open the page, and send what has no mistake once: the instance is drawn then."""
        self._connection.request("GET", BENCH, headers=self._cookie)
        page = self._connection.getresponse().read().decode()
        found = re.search(r'name="form-token" content="([^"]+)"', page)
        assert found is not None, page[:200]
        self._form_token = found.group(1)
        self._check(SOLUTION)

    def type(self, pauses: int) -> None:
        """Type, and pause so many times."""
        for number in range(pauses):
            time.sleep(self._random.uniform(*BETWEEN_SECONDS))
            source = MISTAKE if (number + self._random.randrange(3)) % 3 == 0 else SOLUTION
            begun = time.perf_counter()
            if self._check(f"{source}\n# pause {number}\n"):
                self.seconds.append(time.perf_counter() - begun)
            else:
                self.put_off += 1

    def _check(self, source: str) -> bool:
        body = urlencode({"source": source, "step": "bndiff", "form_token": self._form_token})
        headers = {"Content-Type": "application/x-www-form-urlencoded", "HX-Request": "true", **self._cookie}
        if time.monotonic() - self._last_used > IDLE_SECONDS_MAX:
            self._connection.close()
        self._connection.request("POST", f"{BENCH}/check", body, headers)
        answer = self._connection.getresponse()
        content = answer.read()
        self._last_used = time.monotonic()
        assert answer.status in (200, 429, 503), content[:300]
        return answer.status == 200


def measure(server: BenchServer, typists: int = TYPISTS, pauses: int = PAUSES) -> Answers:
    """Let students type at once; return what they saw."""
    people = [Typist(server, number) for number in range(typists)]
    for person in people:
        person.sit_down()
    threads = [threading.Thread(target=person.type, args=(pauses,)) for person in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = [each for person in people for each in person.seconds]
    return Answers(seconds, sum(person.put_off for person in people))


def main() -> int:
    """Measure and print; return 1 if the goal is missed."""
    with run_server(children=2, students=TYPISTS) as server:
        answers = measure(server)
    p50, p95 = answers.percentile(0.5), answers.percentile(0.95)
    count = len(answers.seconds)
    print(f"{TYPISTS} typists, {count} checks: p50 {p50:.0f} ms, p95 {p95:.0f} ms (goal {GOAL_MS:.0f})", end="")
    print(f", {answers.put_off} put off while submissions went first")
    return int(p95 > GOAL_MS)


if __name__ == "__main__":
    sys.exit(main())
