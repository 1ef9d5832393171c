"""Runs, the children that wait for them, and the zygotes that are replaced."""

from __future__ import annotations

import math
import os
import signal
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from grader.sandbox import Limits, Run, RunStatus, Sandbox, SandboxFault, Timing
from tests.grader.sandbox.conftest import LIMITS, STATE, Runner, holds, job
from tests.grader.sandbox.traces import children_of, running, until, zygote_of


@pytest.mark.parametrize("seconds", [1, 2])
def test_the_cpu_limit_is_the_one_that_was_set(sandbox: Sandbox, seconds: int) -> None:
    limits = Limits(cpu_seconds=seconds, wall_seconds=120)
    steps = (
        "import time\nfor tenth in range(1, 60):\n    while time.process_time() < tenth / 10: pass\n    print(tenth)"
    )

    got = sandbox.run(job(steps, limits))

    assert got.status is RunStatus.TIME_LIMIT and f"after {seconds} s of processor time" in got.message
    assert 10 * seconds - 2 <= int(got.stdout.split()[-1]) <= 10 * seconds + 2


def rehearsed(sandbox: Sandbox, runs: int) -> list[tuple[str, str]]:
    """Of some runs in a row, each with a full set of children waiting: was its child warm, and a random number."""
    code = (
        "import sys\n"
        "frame = sys._getframe()\n"
        "while 'rehearsal' not in frame.f_locals:\n"
        "    frame = frame.f_back\n"
        "print(frame.f_locals['rehearsal'] is not None, torch.rand(1).item())\n"
    )
    seen = []
    for _ in range(runs):
        until(lambda: len(sandbox._waiting) == 2)
        warm, number = sandbox.run(job(code)).stdout.split()
        seen.append((warm, number))
    return seen


def test_children_rehearse_unless_the_sandbox_is_busy() -> None:
    with Sandbox(limits=LIMITS, timing=Timing(busy_within_seconds=0)) as idle:
        at_leisure = rehearsed(idle, 5)
    with Sandbox(limits=LIMITS, timing=Timing(busy_within_seconds=math.inf)) as busy:
        in_haste = rehearsed(busy, 5)

    assert [warm for warm, _ in at_leisure] == ["True"] * 5
    # The first three were made before two had been taken.
    assert [warm for warm, _ in in_haste] == ["True"] * 3 + ["False"] * 2
    assert len({number for _, number in at_leisure + in_haste}) == 1


def delays(sandbox: Sandbox, runs: int) -> list[tuple[float | None, int]]:
    """How long cleanup waited during some runs in a row, and how many children had been made at that moment."""
    noted = []

    class Closing(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            noted.append((timeout, sandbox._zygote.fork_count))
            return self.is_set()

    sandbox._closing = Closing()
    for number in range(runs):
        until(lambda: len(sandbox._waiting) == 2)
        assert sandbox.run(job("")).status is RunStatus.OK
        until(lambda made=3 + number: sandbox._zygote.fork_count == made)  # type: ignore[misc]
    return noted


def test_cleanup_waits_unless_the_sandbox_is_busy() -> None:
    with Sandbox(limits=LIMITS, timing=Timing(busy_within_seconds=0, cleanup_delay_seconds=0.5)) as idle:
        at_leisure = delays(idle, 3)
    with Sandbox(limits=LIMITS, timing=Timing(busy_within_seconds=math.inf)) as busy:
        in_haste = delays(busy, 3)

    assert at_leisure == [(0.5, 2), (0.5, 3), (0.5, 4)]
    assert in_haste == [(Timing().cleanup_delay_seconds, 2)]  # the first, before two had been taken


def test_a_run_waits_for_a_place() -> None:
    inside, most = 0, 0
    lock = threading.Lock()

    class Counting(Sandbox):
        def run_beside(self, job: object) -> Run:
            nonlocal inside, most
            with lock:
                inside += 1
                most = max(most, inside)
            try:
                return super().run_beside(job)  # type: ignore[arg-type]
            finally:
                with lock:
                    inside -= 1

    with Counting(children=2, limits=LIMITS) as sandbox:
        threads = [threading.Thread(target=sandbox.run, args=(job("import time\ntime.sleep(0.1)"),)) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert most == 2


def test_a_state_over_its_limit_is_refused(sandbox: Sandbox) -> None:
    small = job("", replace(LIMITS, state_bytes=10))

    with pytest.raises(ValueError, match="over the limit of 10"):
        sandbox.run(small)


def test_a_worn_zygote_is_replaced_unasked() -> None:
    with Sandbox(limits=LIMITS, timing=Timing(idle_check_seconds=0.01, zygote_age_seconds_max=0)) as sandbox:
        until(lambda: sandbox.generation > 2)


def test_a_dead_zygote_is_replaced_unasked() -> None:
    with Sandbox(limits=LIMITS, timing=Timing(idle_check_seconds=0.01)) as sandbox:
        os.kill(zygote_of(sandbox), signal.SIGKILL)

        until(lambda: sandbox.generation == 2)


@pytest.mark.parametrize(
    ("source", "status", "words"),
    [
        ("while True: pass", RunStatus.TIME_LIMIT, "Stopped after 1 s of processor time"),
        (
            "import time\nprint('before', flush=True)\ntime.sleep(9)",
            RunStatus.TIME_LIMIT,
            "Stopped after 2 s;",
        ),
        ("hoard = [bytearray(2**24) for _ in range(999)]", RunStatus.MEMORY_LIMIT, "No more than 256 MiB"),
        ("torch.zeros(2**30)", RunStatus.MEMORY_LIMIT, "No more than 256 MiB"),
        ("while True: print('y' * 99)", RunStatus.OUTPUT_LIMIT, "More than 64 KiB was printed"),
        ("import ctypes\nctypes.string_at(0)", RunStatus.CRASHED, "SIGSEGV"),
        ("import os\nos._exit(0)", RunStatus.CRASHED, "ended its own process"),
        ("import sys\nsys.exit(2)", RunStatus.ERROR, "left before its end"),
        ("import sys\nsys.exit()", RunStatus.OK, ""),
        ("raise KeyboardInterrupt", RunStatus.ERROR, "KeyboardInterrupt"),
        ("def f(): f()\nf()", RunStatus.ERROR, "calls itself without end"),
        ("x = " + "(" * 5000, RunStatus.ERROR, ""),
        ("x = " + "-" * 50000 + "1", RunStatus.ERROR, ""),
        ("x = '\udc80'", RunStatus.ERROR, "cannot be read as Python"),
        ("x = '\0'", RunStatus.ERROR, ""),
        ("input('?')", RunStatus.ERROR, "nobody here to answer"),
    ],
)
def test_ends(sandbox: Sandbox, source: str, status: RunStatus, words: str) -> None:
    limits = replace(LIMITS, wall_seconds=2) if "sleep" in source else LIMITS
    got = sandbox.run(job(source, limits))
    assert got.status is status, got
    assert words in got.message
    if "before" in source:
        assert got.stdout == "?before\n".removeprefix("?")


def test_a_file_too_large_is_not_run(run: Runner) -> None:
    got = run("#" * 70_000)
    assert got.status is RunStatus.ERROR and "larger than 64 KiB" in got.message
    assert all(answer.tensor is None for answer in got.answers.values())


def test_runs_are_equal_and_independent(run: Runner) -> None:
    source = (
        "import random, numpy\n"
        "print(torch.rand(1).item(), random.random(), numpy.random.rand(), list({'a', 'b', 'c', 'd'}))\n"
        "x += 1\ntorch.seen = getattr(torch, 'seen', 0) + 1\nprint(torch.seen)\ndx = x\n"
    )
    first, second = run(source), run(source)
    assert first.stdout == second.stdout and first.stdout.endswith("\n1\n")
    assert holds(first, "x", STATE["x"] + 1)
    assert holds(second, "x", STATE["x"] + 1)


def test_simultaneous_runs_do_not_see_each_other(sandbox: Sandbox) -> None:
    source = (
        "import time, os\n"
        "torch.mark = getattr(torch, 'mark', []) + [MARK]\n"
        "os.environ['mark'] = os.environ.get('mark', '') + str(MARK)\n"
        "time.sleep(0.2)\n"
        "print(torch.mark, os.environ['mark'])\ndx = x * MARK\n"
    )
    found: dict[int, Run] = {}

    def one(mark: int) -> None:
        found[mark] = sandbox.run(job(source.replace("MARK", str(mark))))

    threads = [threading.Thread(target=one, args=(mark,)) for mark in (3, 7)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for mark in (3, 7):
        got = found[mark]
        assert got.stdout == f"[{mark}] {mark}\n"
        assert holds(got, "x", STATE["x"] * mark)


def test_a_job_with_limits_of_its_own(sandbox: Sandbox) -> None:
    small, large = Limits(data_bytes=40 * 2**20), Limits(data_bytes=600 * 2**20, address_bytes=900 * 2**20)
    source = "dx = x\nhoard = torch.zeros(100, 2**18)"
    assert sandbox.run(job(source, small)).status is RunStatus.MEMORY_LIMIT
    assert sandbox.run(job(source, large)).status is RunStatus.OK


def test_answers_over_the_limits_raise(sandbox: Sandbox) -> None:
    with pytest.raises(ValueError, match="raise output_bytes"):
        sandbox.run(job("", replace(LIMITS, output_bytes=100)))


PATIENT = replace(LIMITS, wall_seconds=60)


def alive(process: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_a_run_lost_with_its_zygote_is_a_fault() -> None:
    with Sandbox(limits=LIMITS) as sandbox:
        until(lambda: len(children_of(zygote_of(sandbox))) == 2)
        children = children_of(zygote_of(sandbox))
        with running(sandbox, job("import time\ntime.sleep(60)", PATIENT)) as outcome:
            os.kill(zygote_of(sandbox), signal.SIGKILL)
        assert isinstance(outcome[0], SandboxFault)
        until(lambda: not any(alive(child) for child in children))  # they die with it
        assert sandbox.run(job("dx = x")).status is RunStatus.OK
        assert sandbox.generation == 2


def test_a_run_replaces_a_dead_zygote() -> None:
    with Sandbox(limits=LIMITS) as sandbox:
        until(lambda: len(sandbox._waiting) == 2)
        zygote = zygote_of(sandbox)
        os.kill(zygote, signal.SIGKILL)
        until(lambda: not alive(zygote))

        assert sandbox.run(job("dx = x")).status is RunStatus.OK
        assert sandbox.generation == 2


def test_it_is_replaced_after_a_number_of_runs() -> None:
    with Sandbox(limits=LIMITS, most_runs=3) as sandbox:
        first = zygote_of(sandbox)
        for _ in range(4):
            assert sandbox.run(job("dx = x")).status is RunStatus.OK
        until(lambda: sandbox.generation > 1)
        assert sandbox.run(job("dx = x")).status is RunStatus.OK
        until(lambda: not alive(first))


def test_a_child_killed_from_outside_is_a_fault() -> None:
    with Sandbox(limits=LIMITS) as sandbox:
        assert sandbox.run(job("")).status is RunStatus.OK

        killed: list[int] = []
        with running(sandbox, job("import time\ntime.sleep(60)", PATIENT)) as outcome:
            for child in children_of(zygote_of(sandbox)):
                os.kill(child, signal.SIGKILL)
                killed.append(child)
        assert isinstance(outcome[0], SandboxFault) and "killed from outside" in str(outcome[0])
        # One that waited was killed too. Until the zygote has buried it nobody knows, and a run on it is a fault again.
        until(lambda: not set(killed) & set(children_of(zygote_of(sandbox))))
        assert sandbox.run(job("")).status is RunStatus.OK
