"""The trusted side: how it judges a run, and when it makes children and lets go of them."""

from __future__ import annotations

import math
import os
import signal
import threading
from dataclasses import replace

import pytest
import torch

from grader.answer import Answer
from grader.sandbox import Limits, Run, RunStatus, Sandbox, SandboxFault, Timing
from grader.sandbox.handles import End
from grader.sandbox.result import FLAGS, Layout, Result
from grader.sandbox.sandbox import _judge
from tests.grader.sandbox.conftest import LIMITS, SLOTS, STATE, Runner, job
from tests.grader.sandbox.traces import until, zygote_of

LAYOUT = Layout.of(SLOTS, LIMITS)
# What a child can write at most: the last mark, and an answer in every slot.
FORGED = Result(True, RunStatus.OK, FLAGS, "printed", "said", {slot.name: Answer(torch.ones(1)) for slot in SLOTS})
# The same from within: student code that finds the harness, and has it write the answers and the last mark.
FORGERY = "import os, sys\ndx = x * 2\nsys._getframe().f_back.f_locals['self']._conclude('ok', '')\n"


def judged(end: End, left: Result = FORGED) -> Run:
    return _judge(end, left, LAYOUT, LIMITS, 0.25)


def handed_in(run: Run) -> list[str]:
    return [name for name, answer in run.answers.items() if answer.tensor is not None]


def test_exit_0_with_the_last_mark_is_believed() -> None:
    run = judged(End(0, None))

    assert run == Run(RunStatus.OK, "", "printed", FORGED.answers, FLAGS, 0.25)


@pytest.mark.parametrize("status", [RunStatus.ERROR, RunStatus.DENIED, RunStatus.MEMORY_LIMIT, RunStatus.OUTPUT_LIMIT])
def test_a_child_may_speak_of_its_own_failure(status: RunStatus) -> None:
    run = judged(End(0, None), replace(FORGED, status=status))

    assert run.status is status and run.message.startswith("said")
    assert run.answers == FORGED.answers
    assert ("No more than 256 MiB" in run.message) is (status is RunStatus.MEMORY_LIMIT)


@pytest.mark.parametrize("status", [RunStatus.TIME_LIMIT, RunStatus.CRASHED, RunStatus.SANDBOX_FAULT])
def test_a_child_may_claim_nothing_else(status: RunStatus) -> None:
    run = judged(End(0, None), replace(FORGED, status=status))

    assert run.status is RunStatus.CRASHED and "said" not in run.message
    assert handed_in(run) == []


@pytest.mark.parametrize(
    ("end", "status", "words"),
    [
        (End(1, None), RunStatus.CRASHED, "ended its own process"),
        (End(255, None), RunStatus.CRASHED, "ended its own process"),
        (End(None, signal.SIGSEGV), RunStatus.CRASHED, "died of SIGSEGV"),
        (End(None, 64), RunStatus.CRASHED, "died of SIGRTMAX"),
        (End(None, 33), RunStatus.CRASHED, "died of signal 33"),
        (End(None, signal.SIGSYS), RunStatus.DENIED, "was stopped"),
        (End(None, signal.SIGXCPU), RunStatus.TIME_LIMIT, "Stopped after 1 s of processor time"),
        (End(None, signal.SIGKILL, cpu_seconds=1.0), RunStatus.TIME_LIMIT, "Stopped after 1 s of processor time"),
        (End(None, signal.SIGKILL, out_of_time=True), RunStatus.TIME_LIMIT, "Stopped after 8 s;"),
    ],
)
def test_a_killed_run_has_no_answers(end: End, status: RunStatus, words: str) -> None:
    run = judged(end)

    assert run.status is status and words in run.message and "said" not in run.message
    assert run.stdout == "printed" and run.flags == FLAGS and run.seconds == 0.25
    assert list(run.answers) == [slot.name for slot in SLOTS] and handed_in(run) == []
    assert run.answers["x"].misfit == "dx was never assigned; assign it, or hand it to cmp"


def test_a_result_without_the_last_mark_has_no_answers() -> None:
    run = judged(End(0, None), replace(FORGED, finished=False))

    assert run.status is RunStatus.CRASHED and handed_in(run) == []


def test_a_kill_from_outside_is_no_verdict() -> None:
    with pytest.raises(SandboxFault, match="killed from outside"):
        judged(End(None, signal.SIGKILL, cpu_seconds=0.99))


@pytest.mark.parametrize(
    ("ending", "status", "kept"),
    [
        ("os._exit(0)", RunStatus.OK, ["x"]),  # a forgery of what honest code gets, and worth no more
        ("os._exit(1)", RunStatus.CRASHED, []),
        ("os._exit(255)", RunStatus.CRASHED, []),
        ("import ctypes; ctypes.string_at(0)", RunStatus.CRASHED, []),
        ("import ctypes; ctypes.CDLL(None).ptrace(0)", RunStatus.DENIED, []),
        ("while True: pass", RunStatus.TIME_LIMIT, []),
    ],
)
def test_what_a_forged_result_is_worth(run: Runner, ending: str, status: RunStatus, kept: list[str]) -> None:
    got = run(FORGERY + ending)

    assert got.status is status, got
    assert handed_in(got) == kept


@pytest.mark.parametrize(
    ("ending", "status"),
    [
        ("1 / 0", RunStatus.ERROR),
        ("open('/')", RunStatus.DENIED),
        ("torch.zeros(2**30)", RunStatus.MEMORY_LIMIT),
        ("while True: print('y' * 999)", RunStatus.OUTPUT_LIMIT),
    ],
)
def test_a_stopped_run_keeps_what_it_got_to(run: Runner, ending: str, status: RunStatus) -> None:
    got = run(f"dx = x * 2\ncmp('w', w + 1, w)\n{ending}\ndy = x")

    assert got.status is status, got
    assert handed_in(got) == ["x", "w"]
    assert torch.equal(got.answers["w"].tensor, STATE["w"] + 1)  # type: ignore[arg-type]


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


def test_children_rehearse_unless_they_are_wanted_at_once() -> None:
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
            noted.append((timeout, sandbox._zygote.forks))
            return self.is_set()

    sandbox._closing = Closing()
    for number in range(runs):
        until(lambda: len(sandbox._waiting) == 2)
        assert sandbox.run(job("")).status is RunStatus.OK
        until(lambda made=3 + number: sandbox._zygote.forks == made)  # type: ignore[misc]
    return noted


def test_cleanup_and_the_next_fork_wait_unless_children_are_wanted_at_once() -> None:
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
