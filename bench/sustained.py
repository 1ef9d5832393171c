"""Sustained load: how many code submissions a second are graded while every student always has one more."""

from __future__ import annotations

import os
import threading
import time
from dataclasses import dataclass

from bench.bare import compile_bare
from bench.figures import Times
from bench.single import seconds_to_grade
from bench.test_server import EXERCISE, SUBMISSIONS, BenchServer
from exercises.instance import Instance
from exercises.registry import find

CLIENTS = 8  # each is a student with a connection of their own; one submission of a student runs at a time
WARM_UP_SECONDS = 1.5  # hidden instances are drawn, and their reference gradients are computed
BARE_ROUNDS = 100


@dataclass(frozen=True)
class Rate:
    """The grades that came back within so many ``seconds``, and how long each took.

    ``bare`` is measured just before, alone on the machine, because the speed of a shared machine changes within
    minutes.
    """

    times: Times
    seconds: float
    bare: Times

    @property
    def per_second(self) -> float:
        """Grades a second."""
        return len(self.times.seconds) / self.seconds

    @property
    def bares(self) -> float:
        """The time of all cores that one grade takes, in multiples of bare."""
        return 1000 * (os.cpu_count() or 1) / self.per_second / self.bare.median_ms

    def and_then(self, other: Rate) -> Rate:
        """Return two measurements as one."""
        return Rate(self.times.and_then(other.times), self.seconds + other.seconds, self.bare.and_then(other.bare))


def measure(server: BenchServer, seconds: float, clients: int = CLIENTS) -> Rate:
    """Submit from several students at once for so many seconds, after the warm-up.

    :raises WrongGrade: a submission was not graded in full
    """
    bare = _measure_bare()
    begin = time.perf_counter() + WARM_UP_SECONDS
    end = begin + seconds
    taken: list[float] = []
    failures: list[Exception] = []

    def submit_until_end(token: str) -> None:
        client = server.client(token)
        try:
            while time.perf_counter() < end:
                took = seconds_to_grade(client.submit_code(SUBMISSIONS, find(EXERCISE).solution))
                if begin <= time.perf_counter() < end:
                    taken.append(took)
        except Exception as error:
            failures.append(error)
        finally:
            client.close()

    threads = [threading.Thread(target=submit_until_end, args=(token,)) for token in server.students[:clients]]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return Rate(Times.of(taken), seconds, bare)


def _measure_bare() -> Times:
    run_once = compile_bare(Instance.canonical(find(EXERCISE)))
    taken = []
    for _ in range(BARE_ROUNDS):
        begun = time.perf_counter()
        run_once()
        taken.append(time.perf_counter() - begun)
    return Times.of(taken)
