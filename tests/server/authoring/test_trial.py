"""A pasted forward pass: read, derived and proved in a process of its own, and what it may not do there."""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path

import pytest

from server.authoring.trial import (
    ANSWER_BYTES_MAX,
    CPU_SECONDS_MAX,
    DATA_BYTES_MAX,
    PROOF_CPU_SECONDS_MAX,
    TEXT_CHARACTERS_MAX,
    Trial,
    Wanted,
    try_apart,
    try_out,
)
from server.authoring.turns import TRIALS_PER_MINUTE, Trials
from server.processes.shared_memory import SharedMemory
from server.submissions.rate_limit import TooFast
from tests.support.servers import COURSE, RunningServer

GIVEN = "n = 4\nx = data(n, 3)\nW = param(3, 5)\ny = labels(5, n)\n"
LINES = "logits = x @ W\nlogprobs = logits.log_softmax(1)\nloss = -logprobs[range(n), y].mean()\n"
on_sqlite = pytest.mark.parametrize("url", ["sqlite"], indirect=True)


def refusal_of(lines: str, given: str = GIVEN) -> tuple[int | None, str]:
    """Return line and reason of what is refused."""
    found = try_out(Wanted(given, lines)).refusal
    assert found is not None
    return found.line, found.reason


def test_a_forward_pass_gives_steps_a_key_and_a_proof() -> None:
    trial = try_apart(Wanted(GIVEN, LINES, is_proved=True))

    assert trial.refusal is None
    assert [(each.name, each.shape) for each in trial.steps] == [("logits", (4, 5)), ("logprobs", (4, 5)), ("loss", ())]
    assert {(each.name, each.verdict) for each in trial.key} == {
        ("logprobs", "exact"),
        ("logits", "exact"),
        ("W", "exact"),
    }
    assert trial.proved is not None
    assert trial.proved.mistakes == trial.proved.located > 0
    assert {name for name, _ in trial.files} >= {"pack.toml", "exercise/forward.py", "exercise/solution.py"}


def test_a_refusal_names_its_line_and_what_to_write() -> None:
    line, reason = refusal_of("h = x @ W\nif h.mean() > 0:\n    h = h * 2\nloss = h.sum()\n")

    assert line == 2
    assert "Write torch.where(h.mean() > 0, " in reason


@pytest.mark.parametrize(
    "lines",
    [
        "loss = open('/etc/passwd')",
        "loss = __import__('os').system('true')",
        "loss = (x @ W).__class__.__mro__",
        "loss = eval('1')",
    ],
)
def test_nobodys_python_is_run(lines: str) -> None:
    line, reason = refusal_of(lines)

    assert line == 1
    assert reason.endswith(".")


def test_what_is_too_long_is_not_read() -> None:
    found = try_apart(Wanted("", "x" * (TEXT_CHARACTERS_MAX + 1))).refusal
    empty = try_apart(Wanted(GIVEN, " \n")).refusal

    assert found is not None and "Paste a smaller forward pass." in found.reason
    assert empty is not None and "There are no lines." in empty.reason


def test_nobody_has_more_turns_than_others() -> None:
    tried: list[Wanted] = []

    def note(wanted: Wanted) -> Trial:
        tried.append(wanted)
        return Trial()

    trials = Trials(SharedMemory(), note, clock=lambda: 100.0)

    for _ in range(TRIALS_PER_MINUTE):
        asyncio.run(trials.of(1, Wanted("", "")))
    with pytest.raises(TooFast) as refused:
        asyncio.run(trials.of(1, Wanted("", "")))
    asyncio.run(trials.of(2, Wanted("", "")))

    assert len(tried) == TRIALS_PER_MINUTE + 1
    assert "Wait 60 s" in refused.value.detail


def test_nobody_waits_twice() -> None:
    async def try_twice() -> list[Trial | BaseException]:
        trials = Trials(SharedMemory(), lambda wanted: Trial())
        turns = (trials.of(1, Wanted("", "")) for _ in range(2))
        return await asyncio.gather(*turns, trials.of(2, Wanted("", "")), return_exceptions=True)

    first, second, other = asyncio.run(try_twice())

    assert isinstance(second, TooFast) and "still being read" in second.detail
    assert (first, other) == (Trial(), Trial())


def test_one_is_tried_at_a_time() -> None:
    running, most = 0, 0

    def try_(wanted: Wanted) -> Trial:
        nonlocal running, most
        running += 1
        most = max(most, running)
        time.sleep(0.02)  # long enough for another one, if one may begin
        running -= 1
        return Trial()

    async def try_four() -> None:
        trials = Trials(SharedMemory(), try_)
        await asyncio.gather(*(trials.of(account_id, Wanted("", "")) for account_id in range(4)))

    asyncio.run(try_four())

    assert most == 1


@pytest.mark.parametrize(("is_proved", "seconds"), [(False, CPU_SECONDS_MAX), (True, PROOF_CPU_SECONDS_MAX)])
def test_the_process_has_limits_of_its_own(is_proved: bool, seconds: int) -> None:
    program = f"""
import resource, sys
sys.path.append({str(Path(__file__).parents[3])!r})
from server.authoring import trial
limits = resource.RLIMIT_CPU, resource.RLIMIT_DATA, resource.RLIMIT_FSIZE, resource.RLIMIT_CORE
trial.try_out = lambda wanted: trial.Trial(notes=tuple((each, str(resource.getrlimit(each))) for each in limits))
trial._main()
"""
    found = try_apart(Wanted(GIVEN, LINES, is_proved), (sys.executable, "-I", "-c", program))

    most = (seconds, DATA_BYTES_MAX, ANSWER_BYTES_MAX + 1, 0)
    assert [text for _, text in found.notes] == [str((each, each)) for each in most]


def test_a_killed_process_leaves_no_file(tmp_path: Path) -> None:
    note = tmp_path / "note"
    lines = (
        "import os, pathlib, tempfile",
        f"pathlib.Path({str(note)!r}).write_text(tempfile.mkdtemp() + ' ' + ' '.join(os.environ))",
        "os.kill(os.getpid(), 9)",
    )

    trial = try_apart(Wanted(GIVEN, LINES), (sys.executable, "-I", "-c", "; ".join(lines)))

    place, *environment = note.read_text().split()
    assert trial.refusal is not None and "too long or too much memory" in trial.refusal.reason
    assert not Path(place).exists()
    assert set(environment) <= {"TMPDIR", "LC_CTYPE"}


def test_a_long_answer_is_not_read() -> None:
    program = (sys.executable, "-I", "-c", f"print('x' * {ANSWER_BYTES_MAX + 1})")

    assert try_apart(Wanted(GIVEN, LINES), program).refusal is not None


@on_sqlite
def test_staff_try_a_forward_pass_by_the_api(server: RunningServer) -> None:
    tried = server.instructor.post(f"/api/v1/courses/{COURSE}/authoring", json={"given": GIVEN, "lines": LINES}).json()

    assert [each["code"] for each in tried["key"]][-1] == "dW = x.T @ dlogits"
    assert tried["refusal"] is None
    assert "exercise/forward.py" in tried["files"]
