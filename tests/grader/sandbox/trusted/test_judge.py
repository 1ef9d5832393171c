"""What a run is worth: the kernel's report first, and the child's claims only where that allows it."""

from __future__ import annotations

import signal
from dataclasses import replace

import pytest
import torch

from grader.answer import Answer
from grader.sandbox import Run, RunStatus, SandboxFault
from grader.sandbox.result_layout import FLAGS, Layout
from grader.sandbox.trusted.judge import judge
from grader.sandbox.trusted.processes import ChildExit
from grader.sandbox.trusted.result_reader import Result
from tests.grader.sandbox.conftest import LIMITS, SLOTS, STATE, Runner

LAYOUT = Layout.of(SLOTS, LIMITS)


# What a child can write at most: the last mark, and an answer in every slot.
FORGED = Result(True, RunStatus.OK, FLAGS, "printed", "said", {slot.name: Answer(torch.ones(1)) for slot in SLOTS})


# The same from within: student code that finds the harness, and has it write the answers and the last mark.
FORGERY = "import os, sys\ndx = x * 2\nsys._getframe().f_back.f_locals['self']._conclude('ok', '')\n"


def judged(end: ChildExit, left: Result = FORGED) -> Run:
    return judge(end, left, LAYOUT, LIMITS, 0.25)


def handed_in(run: Run) -> list[str]:
    return [name for name, answer in run.answers.items() if answer.tensor is not None]


def test_exit_0_with_the_last_mark_is_believed() -> None:
    run = judged(ChildExit(0, None))

    assert run == Run(RunStatus.OK, "", "printed", FORGED.answers, FLAGS, 0.25)


@pytest.mark.parametrize("status", [RunStatus.ERROR, RunStatus.DENIED, RunStatus.MEMORY_LIMIT, RunStatus.OUTPUT_LIMIT])
def test_a_child_may_speak_of_its_own_failure(status: RunStatus) -> None:
    run = judged(ChildExit(0, None), replace(FORGED, status=status))

    assert run.status is status and run.message.startswith("said")
    assert run.answers == FORGED.answers
    assert ("No more than 256 MiB" in run.message) is (status is RunStatus.MEMORY_LIMIT)


@pytest.mark.parametrize("status", [RunStatus.TIME_LIMIT, RunStatus.CRASHED, RunStatus.SANDBOX_FAULT])
def test_a_child_may_claim_nothing_else(status: RunStatus) -> None:
    run = judged(ChildExit(0, None), replace(FORGED, status=status))

    assert run.status is RunStatus.CRASHED and "said" not in run.message
    assert handed_in(run) == []


@pytest.mark.parametrize(
    ("end", "status", "words"),
    [
        (ChildExit(1, None), RunStatus.CRASHED, "ended its own process"),
        (ChildExit(255, None), RunStatus.CRASHED, "ended its own process"),
        (ChildExit(None, signal.SIGSEGV), RunStatus.CRASHED, "died of SIGSEGV"),
        (ChildExit(None, 64), RunStatus.CRASHED, "died of SIGRTMAX"),
        (ChildExit(None, 33), RunStatus.CRASHED, "died of signal 33"),
        (ChildExit(None, signal.SIGSYS), RunStatus.DENIED, "was stopped"),
        (ChildExit(None, signal.SIGXCPU), RunStatus.TIME_LIMIT, "Stopped after 1 s of processor time"),
        (ChildExit(None, signal.SIGKILL, cpu_seconds=1.0), RunStatus.TIME_LIMIT, "Stopped after 1 s of processor time"),
        (ChildExit(None, signal.SIGKILL, timed_out=True), RunStatus.TIME_LIMIT, "Stopped after 8 s;"),
    ],
)
def test_a_killed_run_has_no_answers(end: ChildExit, status: RunStatus, words: str) -> None:
    run = judged(end)

    assert run.status is status and words in run.message and "said" not in run.message
    assert run.stdout == "printed" and run.flags == FLAGS and run.seconds == 0.25
    assert list(run.answers) == [slot.name for slot in SLOTS] and handed_in(run) == []
    assert run.answers["x"].misfit == (
        "the run was stopped before dx could be read; mend what stopped it, and submit again"
    )


def test_a_result_without_the_last_mark_has_no_answers() -> None:
    run = judged(ChildExit(0, None), replace(FORGED, finished=False))

    assert run.status is RunStatus.CRASHED and handed_in(run) == []


def test_a_kill_from_outside_is_no_verdict() -> None:
    with pytest.raises(SandboxFault, match="killed from outside"):
        judged(ChildExit(None, signal.SIGKILL, cpu_seconds=0.99))


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


@pytest.mark.parametrize("end", [(None, signal.SIGKILL), (0, None)])
def test_a_child_that_was_seen_to_hold_too_much_met_the_memory_limit(end: tuple[int | None, int | None]) -> None:
    run = judged(ChildExit(*end, over_memory=True))

    assert run.status is RunStatus.MEMORY_LIMIT and "No more than 256 MiB" in run.message
    assert handed_in(run) == []


@pytest.mark.parametrize(("share", "is_own"), [(0.5, True), (0.49, False), (0.0, False)])
def test_a_kill_from_outside_is_the_codes_own_if_it_held_half_its_memory(share: float, is_own: bool) -> None:
    killed = ChildExit(None, signal.SIGKILL, memory_bytes=int(LIMITS.data_bytes * share))

    if is_own:
        assert judged(killed).status is RunStatus.MEMORY_LIMIT
    else:
        with pytest.raises(SandboxFault, match="killed from outside"):
            judged(killed)
