"""One submission at a time, in every way: how long a student waits while nobody else is there."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Mapping
from contextlib import closing

from bench.bare import compile_bare, right_answers, run_cold
from bench.figures import Times
from bench.http_client import Reply
from bench.test_server import EXERCISE, STATE, SUBMISSIONS, BenchServer
from exercises.instance import Instance, Kind
from exercises.registry import find
from grader.grade import Grade, grade_code
from grader.sandbox import Sandbox
from server.instances.pool import POOL_SIZE

PAUSE_SECONDS = 0.04  # children are forked ahead between two submissions, and a lone student leaves time for it
WARM_UP_ROUNDS = 5  # of which no time is kept: connections are opened, caches are filled
ROUNDS_PER_COLD_PROCESS = 20  # a cold process takes seconds
COLD_PROCESS = "cold_process"
SINGLE_STEP = "dprobs"  # the answer that is handed in alone, as most are while a student derives
QUOTED_BYTES = 2000

# Does something once, and returns how many seconds of it count.
Action = Callable[[], float]


class WrongGrade(AssertionError):
    """What was measured did not have the result that it should have."""


def actions(server: BenchServer, sandbox: Sandbox) -> dict[str, Action]:
    """Return everything that is compared, by the name of its row; ``bare`` is the first."""
    exercise = find(EXERCISE)
    hidden = Instance.draw(exercise, 1, Kind.HIDDEN)
    code_client, tensor_client, idle_client = (server.client(token) for token in server.students[:3])
    own = Instance(exercise=exercise, state=tensor_client.get(STATE).body, kind=Kind.STUDENT, dataset="")
    all_answers, one_answer = right_answers(own), right_answers(own, SINGLE_STEP)

    def grade_in_process() -> float:
        begun = time.perf_counter()
        grade = grade_code(hidden, exercise.solution, "solution.py", sandbox)
        seconds = time.perf_counter() - begun
        _require_complete(grade)
        return seconds

    return {
        "bare": _timed(compile_bare(hidden)),
        "grader": grade_in_process,
        "http_code": lambda: seconds_to_grade(code_client.submit_code(SUBMISSIONS, exercise.solution)),
        "http_tensors": lambda: seconds_to_grade(tensor_client.submit_tensors(SUBMISSIONS, all_answers)),
        "http_step": lambda: seconds_to_grade(tensor_client.submit_tensors(SUBMISSIONS, one_answer), passed=1),
        "http_empty": lambda: _seconds_if_ok(idle_client.get("/healthz")),
        "http_me": lambda: _seconds_if_ok(idle_client.get("/api/v1/me")),
        COLD_PROCESS: _timed(lambda: run_cold(hidden)),
    }


def fill_pool(server: BenchServer) -> None:
    """Hand in code until the pool of hidden instances is full: each submission before that draws one more."""
    with closing(server.client(server.students[0])) as client:
        for _ in range(POOL_SIZE):
            seconds_to_grade(client.submit_code(SUBMISSIONS, find(EXERCISE).solution))


def measure(actions: Mapping[str, Action], rounds: int) -> dict[str, Times]:
    """Do all actions in turns, so that other load on the machine hits all alike; the cold process less often."""
    seconds: dict[str, list[float]] = {name: [] for name in actions}
    gc.collect()
    for number in range(-WARM_UP_ROUNDS, rounds):
        for name, action in actions.items():
            if name == COLD_PROCESS and (number < 0 or number % ROUNDS_PER_COLD_PROCESS):
                continue
            time.sleep(PAUSE_SECONDS)
            taken = action()
            if number >= 0:
                seconds[name].append(taken)
    return {name: Times.of(each) for name, each in seconds.items()}


def seconds_to_grade(reply: Reply, passed: int | None = None) -> float:
    """Return the seconds from sending an answer to its grade.

    :param passed: how many checkpoints must be right; by default all.
    :raises WrongGrade: there is no grade, or another number is right
    """
    if reply.status != 201 or reply.json()["grade"]["passed"] != (passed or reply.json()["grade"]["total"]):
        raise WrongGrade(f"{reply.status}: {reply.body[:QUOTED_BYTES].decode()}")
    return reply.seconds


def _seconds_if_ok(reply: Reply) -> float:
    if reply.status != 200:
        raise WrongGrade(f"{reply.status}: {reply.body[:QUOTED_BYTES].decode()}")
    return reply.seconds


def _require_complete(grade: Grade) -> None:
    if not grade.complete:
        raise WrongGrade(grade.summary())


def _timed(work: Callable[[], object]) -> Action:
    def timed() -> float:
        begun = time.perf_counter()
        work()
        return time.perf_counter() - begun

    return timed
