"""``python -m bench.soak`` loads a server for long, and says whether its memory is flat and nothing is lost.

Students hand in whole solutions and single steps, check live, and read their pages; the instructor reads the class's.
Every process's memory is printed again and again. It is PSS: what processes share is counted once, in even shares.

It warms up first: the students hurry until the caches are full and the heap has settled. A server has some 90 MiB in
caches then, and to fill them is no leak. They keep what was computed for an instance: each student's, and those of the
pool, which grows by one with each code submission and is drawn by lot.
"""

from __future__ import annotations

import argparse
import random
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from http.client import HTTPException
from statistics import linear_regression, median

from grader import numerics

numerics.pin()

from bench import memory  # noqa: E402
from bench.http_client import HttpClient, Reply  # noqa: E402
from bench.load.deadline_load import SOLUTION, STEPS, WRONG_SOLUTION, AnswerFiles, prepare  # noqa: E402
from bench.test_server import CHECK, COURSE, PROGRESS, STATE, SUBMISSIONS, BenchServer, run_server  # noqa: E402
from server.instances.pool import POOL_SIZE  # noqa: E402

# Code submissions, a sixth of all actions. Half of them fill the caches; then it takes the heap as many to settle.
WARM_UP_CODE = 12 * POOL_SIZE
WARM_UP_SECONDS = 0.7  # between two actions of a student meanwhile
MEASURE_TRIES = 10  # children come and go while they are looked at
FLAT_SHARE_AN_HOUR = 0.1
SAMPLES_MIN = 6
PROCESSES = ("server", "zygote", "child")
ANONYMOUS = "anonymous"  # the server's memory that is no file, in which a leak would show
COLUMNS = (*PROCESSES, "together", ANONYMOUS)


@dataclass(frozen=True)
class Sample:
    """The memory in MiB, by column, so many ``minutes`` after the beginning."""

    minutes: float
    mib: dict[str, float]


@dataclass
class Tally:
    """What was done. Thread-safe, because each count is one operation."""

    counts: Counter[str] = field(default_factory=Counter)
    acknowledged: list[tuple[int, int]] = field(default_factory=list)  # number of the student, submission

    @property
    def acknowledged_code(self) -> int:
        """How many code submissions were acknowledged."""
        return self.counts["code 201"] + self.counts["code 202"]


@dataclass
class Pace:
    """How many seconds there are between two actions of each student, on average."""

    seconds: float


@dataclass(frozen=True)
class Student:
    """Does one thing after the other, at random moments, until ``stopped``."""

    number: int
    client: HttpClient
    answers: AnswerFiles
    pace: Pace
    tally: Tally
    stopped: threading.Event

    def run(self) -> None:
        """Do one thing after the other."""
        chance = random.Random(self.number)
        actions: list[tuple[str, Callable[[random.Random], Reply]]] = [
            ("code", self._submit_code),
            ("tensors", self._submit_tensors),
            ("check", self._check),
            ("check", self._check),
            ("read", lambda _: self.client.get(f"/api/v1/courses/{COURSE}/submissions?limit=20")),
            ("read", lambda _: self.client.get(STATE)),
        ]
        while not self.stopped.wait(chance.expovariate(1 / self.pace.seconds)):
            name, act = chance.choice(actions)
            try:
                reply = act(chance)
            except (OSError, HTTPException) as error:
                self.tally.counts[f"{name} {type(error).__name__}"] += 1
                continue
            self.tally.counts[f"{name} {reply.status}"] += 1
            if name in ("code", "tensors") and reply.status in (201, 202):
                self.tally.acknowledged.append((self.number, reply.json()["id"]))

    def _submit_code(self, chance: random.Random) -> Reply:
        return self.client.submit_code(SUBMISSIONS, chance.choice([SOLUTION, WRONG_SOLUTION]))

    def _submit_tensors(self, chance: random.Random) -> Reply:
        return self.client.submit_tensors(SUBMISSIONS, self.answers[chance.choice(STEPS), chance.random() < 0.5])

    def _check(self, chance: random.Random) -> Reply:
        return self.client.check_code(CHECK, chance.choice([SOLUTION, WRONG_SOLUTION]))


def main(arguments: list[str] | None = None) -> int:
    """Soak a server; return 0 if its memory is flat and nothing was lost."""
    parser = argparse.ArgumentParser(prog="python -m bench.soak", description="A server under load for long.")
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--students", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=4.0, help="between two actions of a student, on average")
    parser.add_argument("--warm-up", type=int, default=WARM_UP_CODE, help="code submissions before the first look")
    parser.add_argument("--every", type=float, default=60.0, help="seconds between two looks at the memory")
    options = parser.parse_args(arguments)
    with run_server(children=2, students=options.students) as server:
        print(f"==> {options.students} students, each does something every {options.seconds:g} s", flush=True)
        samples, tally = soak(server, options)
        lost = count_lost(server, tally)
    done = ", ".join(f"{count} {name}" for name, count in sorted(tally.counts.items()))
    print(f"{done}; {len(tally.acknowledged)} acknowledged, {lost} lost")
    if len(samples) < SAMPLES_MIN:
        print(f"memory: no verdict with fewer than {SAMPLES_MIN} looks; take more --minutes")
        return 1
    slopes = ", ".join(f"{name} {slope(samples, name):+.0f}" for name in COLUMNS)
    print(f"slope in MiB an hour, without the first third: {slopes}")
    print(f"memory: {'flat' if is_flat(samples) else 'NOT FLAT'}, by the column {ANONYMOUS!r}")
    return 0 if is_flat(samples) and not lost else 1


def soak(server: BenchServer, options: argparse.Namespace) -> tuple[list[Sample], Tally]:
    """Load a server for the time, and look at its memory meanwhile."""
    tally, stopped, pace = Tally(), threading.Event(), Pace(WARM_UP_SECONDS)
    answers = prepare(server, 0)
    students = [
        Student(number, server.client(token), files, pace, tally, stopped)
        for number, (token, files) in enumerate(zip(server.students, answers, strict=True))
    ]
    threads = [threading.Thread(target=student.run, daemon=True) for student in students]
    for thread in threads:
        thread.start()
    while tally.acknowledged_code < options.warm_up:
        time.sleep(1)
    pace.seconds = options.seconds
    print(f"==> warm after {tally.counts.total()} actions", flush=True)
    instructor = server.client(server.instructor)
    print(f"{'minute':>7s}" + "".join(f"{name:>11s}" for name in COLUMNS) + "   done", flush=True)
    begin = time.monotonic()
    samples = []
    while time.monotonic() - begin < 60 * options.minutes:
        time.sleep(options.every)
        tally.counts[f"progress {instructor.get(PROGRESS).status}"] += 1
        sample = measure(server.pid, (time.monotonic() - begin) / 60)
        samples.append(sample)
        figures = "".join(f"{sample.mib[name]:11.1f}" for name in COLUMNS)
        print(f"{sample.minutes:7.1f}{figures}   {tally.counts.total()}", flush=True)
    stopped.set()
    for thread in threads:
        thread.join()
    return samples, tally


def measure(pid: int, minutes: float) -> Sample:
    """Return the memory of a server, its zygote and its children now."""
    for _ in range(MEASURE_TRIES):
        try:
            memories = memory.of_server(pid)
        except (FileNotFoundError, ProcessLookupError, KeyError):  # a child ended in between
            continue
        mib = {name: sum(each.pss for each in memories if each.name == name) for name in PROCESSES}
        anonymous = sum(each.anonymous for each in memories if each.name == "server")
        return Sample(minutes, mib | {"together": sum(mib.values()), ANONYMOUS: anonymous})
    raise RuntimeError("children end faster than they can be measured; lower the load")


def is_flat(samples: Sequence[Sample]) -> bool:
    """Return whether the server's own memory would grow by a tenth within an hour, at most."""
    return slope(samples, ANONYMOUS) <= FLAT_SHARE_AN_HOUR * median(sample.mib[ANONYMOUS] for sample in samples)


def slope(samples: Sequence[Sample], column: str) -> float:
    """Return by how many MiB an hour a column grows, without the first third: what the warm-up left settles then."""
    late = samples[len(samples) // 3 :]
    line = linear_regression([sample.minutes / 60 for sample in late], [sample.mib[column] for sample in late])
    return line.slope


def count_lost(server: BenchServer, tally: Tally) -> int:
    """Return how many acknowledged submissions have no grade in the end."""
    lost = 0
    for number, submission in tally.acknowledged:
        reply = server.client(server.students[number]).get(f"/api/v1/submissions/{submission}")
        lost += reply.status != 200 or reply.json()["status"] != "graded"
    return lost


if __name__ == "__main__":
    sys.exit(main())
