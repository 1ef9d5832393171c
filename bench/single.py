"""One submission at a time, in every way, by turns: what one student waits for while nobody else is there."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Mapping

from bench.bare import answers, bare, cold
from bench.figures import Times
from bench.guest import Reply
from bench.house import EXERCISE, STATE, SUBMISSIONS, House
from exercises.instance import Instance, Kind
from exercises.registry import find
from grader.grade import Grade, grade_code
from grader.sandbox import Sandbox

# Children are made ahead in the time between two submissions; a lone student leaves more of it.
PAUSE_SECONDS = 0.04
FIRST_ROUNDS = 5  # of which nothing is kept: connections are made, caches are filled
ROUNDS_A_COLD_PROCESS = 20  # it takes seconds
STEP = "dprobs"  # the one that is handed in alone, as most are while a student derives

# A part does its work once and returns how many seconds count.
Part = Callable[[], float]


class WrongGrade(AssertionError):
    """What was measured did not do what it should have done."""


def parts(house: House, sandbox: Sandbox) -> dict[str, Part]:
    """Everything that is compared with each other, ``bare`` first."""
    exercise = find(EXERCISE)
    hidden = Instance.draw(exercise, 1, Kind.HIDDEN)
    coder, comparer, nobody = (house.guest(token) for token in house.students[:3])
    own = Instance(exercise=exercise, state=comparer.get(STATE).body, kind=Kind.STUDENT, dataset="")
    right, step = answers(own), answers(own, STEP)

    def grader() -> float:
        begun = time.perf_counter()
        grade = grade_code(hidden, exercise.solution, "solution.py", sandbox)
        seconds = time.perf_counter() - begun
        _check(grade)
        return seconds

    return {
        "bare": _timed(bare(hidden)),
        "grader": grader,
        "http_code": lambda: graded(coder.submit_code(SUBMISSIONS, exercise.solution)),
        "http_tensors": lambda: graded(comparer.submit_tensors(SUBMISSIONS, right)),
        "http_step": lambda: graded(comparer.submit_tensors(SUBMISSIONS, step), steps=1),
        "http_empty": lambda: _well(nobody.get("/healthz")),
        "http_me": lambda: _well(nobody.get("/api/v1/me")),
        "cold_process": _timed(lambda: cold(hidden)),
    }


def play(parts: Mapping[str, Part], rounds: int) -> dict[str, Times]:
    """All parts by turns, so that whatever else the machine does hits all alike; the cold process now and then."""
    taken: dict[str, list[float]] = {name: [] for name in parts}
    gc.collect()
    for number in range(-FIRST_ROUNDS, rounds):
        for name, part in parts.items():
            if name == "cold_process" and (number < 0 or number % ROUNDS_A_COLD_PROCESS):
                continue
            time.sleep(PAUSE_SECONDS)
            seconds = part()
            if number >= 0:
                taken[name].append(seconds)
    return {name: Times.of(seconds) for name, seconds in taken.items()}


def graded(reply: Reply, steps: int | None = None) -> float:
    """Seconds from submitting to the grade.

    :raises WrongGrade: there is no grade, or not so many ``steps`` are right, by default all
    """
    if reply.status != 201 or reply.json()["grade"]["passed"] != (steps or reply.json()["grade"]["total"]):
        raise WrongGrade(f"{reply.status}: {reply.body[:2000].decode()}")
    return reply.seconds


def _well(reply: Reply) -> float:
    if reply.status != 200:
        raise WrongGrade(f"{reply.status}: {reply.body[:2000].decode()}")
    return reply.seconds


def _check(grade: Grade) -> None:
    if not grade.complete:
        raise WrongGrade(grade.summary())


def _timed(work: Callable[[], object]) -> Part:
    def timed() -> float:
        begun = time.perf_counter()
        work()
        return time.perf_counter() - begun

    return timed
