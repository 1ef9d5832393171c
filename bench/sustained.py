"""Sustained: how many code submissions a second come through while somebody always has one more."""

from __future__ import annotations

import os
import threading
import time
from dataclasses import dataclass

from bench.bare import bare
from bench.figures import Times
from bench.house import EXERCISE, SUBMISSIONS, House
from bench.single import graded
from exercises.instance import Instance
from exercises.registry import find

CLIENTS = 8  # each a student, on a connection of their own; one runs at a time for each student
WARM_UP_SECONDS = 1.5  # hidden instances are drawn, references are made
BARE_ROUNDS = 100


@dataclass(frozen=True)
class Rate:
    """Grades that came back within so many seconds, and how long each took; and how long bare took just before, alone
    on the machine: how fast that is as a whole changes within minutes."""

    times: Times
    seconds: float
    bare: Times

    @property
    def per_second(self) -> float:
        """Grades a second."""
        return len(self.times.seconds) / self.seconds

    @property
    def bares(self) -> float:
        """Time of all cores for one grade, in bare ones."""
        return 1000 * (os.cpu_count() or 1) / self.per_second / self.bare.median_ms

    def and_then(self, other: Rate) -> Rate:
        """Two rounds as one."""
        return Rate(self.times.and_then(other.times), self.seconds + other.seconds, self.bare.and_then(other.bare))


def sustained(house: House, seconds: float, clients: int = CLIENTS) -> Rate:
    """Submit from several students at once for so many seconds, after the warm-up.

    :raises WrongGrade: one was not graded in full
    """
    alone = _bare()
    begin = time.perf_counter() + WARM_UP_SECONDS
    end = begin + seconds
    taken: list[float] = []
    failures: list[Exception] = []

    def student(token: str) -> None:
        guest = house.guest(token)
        try:
            while time.perf_counter() < end:
                took = graded(guest.submit_code(SUBMISSIONS, find(EXERCISE).solution))
                if begin <= time.perf_counter() < end:
                    taken.append(took)
        except Exception as error:
            failures.append(error)
        finally:
            guest.close()

    threads = [threading.Thread(target=student, args=(token,)) for token in house.students[:clients]]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return Rate(Times.of(taken), seconds, alone)


def _bare() -> Times:
    once = bare(Instance.canonical(find(EXERCISE)))
    taken = []
    for _ in range(BARE_ROUNDS):
        begun = time.perf_counter()
        once()
        taken.append(time.perf_counter() - begun)
    return Times.of(taken)
