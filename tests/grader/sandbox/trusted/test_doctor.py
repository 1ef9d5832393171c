"""The doctor's probes can fail, each of them, and a table says so. The sandbox here gives made-up runs."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import replace

import pytest
import torch

from grader.answer import Answer
from grader.sandbox import Job, Limits, Run, RunStatus, SandboxFault
from grader.sandbox.protocol import Layer
from grader.sandbox.trusted import doctor
from grader.sandbox.trusted.doctor import Finding, Report, examine, kernel_finding

RIGHT = {"answer": Answer(torch.full((4,), 6.0))}
PROBES = """honest run, files, metadata, sockets, fork, exec, signals, other processes, ptrace, executable memory,
    shared memory, environment, descriptors at work, memory, address space, output, wall time, a crash, runs are equal,
    processor time"""
LOCKS = "session, dies with zygote, not dumpable, descriptors, privileges, rlimits, landlock, exit notification"

ALL = ~Layer(0)


class Made:
    """Stands for a sandbox: every run is the same."""

    limits = Limits()
    landlock = 5

    def __init__(
        self,
        status: RunStatus = RunStatus.OK,
        stdout: str = "tried",
        message: str = "",
        answers: Mapping[str, Answer] = RIGHT,
        layers: Layer = ALL,
    ) -> None:
        self._run = Run(status, message, stdout, answers, (), 0.0)
        self._layers = layers

    def run_beside(self, job: Job) -> Run:
        return self._run

    def locks(self) -> Layer:
        return self._layers


def names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",")]


def findings(sandbox: object) -> dict[str, Finding]:
    return {finding.name: finding for finding in examine(sandbox).findings}  # type: ignore[arg-type]


def test_no_probe_is_lost() -> None:
    assert list(findings(Made())) == [*names(PROBES), "page tables", *names(LOCKS), "kernel"]


def test_what_went_through_fails_every_probe() -> None:
    ways = [
        Made(stdout="tried\nOPEN: a door", answers={"answer": Answer(torch.ones(4))}),
        Made(RunStatus.CRASHED, "", ""),
    ]

    for sandbox in ways:
        found = findings(sandbox)
        failed = {name for name in names(PROBES) if not found[name].ok}
        allowed = {"a crash"} if sandbox is ways[1] else set()
        assert failed == set(names(PROBES)) - allowed
    assert findings(ways[0])["files"].detail == "a door"


def test_a_deadly_call_that_came_back_is_no_lock() -> None:
    assert findings(Made(RunStatus.DENIED))["ptrace"].ok
    assert not findings(Made(RunStatus.DENIED, "OPEN"))["ptrace"].ok


def test_runs_that_differ_are_not_equal() -> None:
    class Counting(Made):
        runs = 0

        def run_beside(self, job: Job) -> Run:
            self.runs += 1
            return replace(self._run, stdout=f"False False {self.runs}")

    assert not findings(Counting())["runs are equal"].ok


@pytest.mark.parametrize("stdout", ["", "tried", "False False 1 2"])
def test_only_equal_runs_that_find_nothing_are_equal(stdout: str) -> None:
    assert findings(Made(stdout=stdout))["runs are equal"].ok is stdout.startswith("False")


@pytest.mark.parametrize(
    ("status", "message", "stdout", "ok"),
    [
        (RunStatus.TIME_LIMIT, "Stopped after 1 s of processor time", "", True),
        (RunStatus.TIME_LIMIT, "Stopped after 60 s", "", False),
        (RunStatus.TIME_LIMIT, "Stopped after 1 s of processor time", "OPEN", False),
        (RunStatus.CRASHED, "processor time", "", False),
    ],
)
def test_only_processor_time_stops_an_endless_loop(status: RunStatus, message: str, stdout: str, ok: bool) -> None:
    assert findings(Made(status, stdout, message))["processor time"].ok is ok


@pytest.mark.parametrize("answer", [Answer(None), Answer(torch.full((4,), 6.1))])
def test_an_honest_run_has_the_right_answer(answer: Answer) -> None:
    assert not findings(Made(answers={"answer": answer}))["honest run"].ok


@pytest.mark.parametrize("lock", names(LOCKS))
def test_a_lock_that_fails_is_reported(lock: str) -> None:
    without = ~Layer[lock.upper().replace(" ", "_")]

    found = findings(Made(layers=without))

    assert [name for name in names(LOCKS) if not found[name].ok] == [lock]
    assert found[lock].required is (lock != "exit notification")


def test_a_missing_landlock_is_not_required() -> None:
    class Without(Made):
        landlock = 0

    found = findings(Without(layers=~Layer.LANDLOCK))["landlock"]

    assert not found.ok and not found.required and "this kernel has none" in found.detail


def test_a_sandbox_that_runs_nothing_is_a_finding() -> None:
    class Broken(Made):
        def run_beside(self, job: Job) -> Run:
            raise SandboxFault("no zygote")

        def locks(self) -> Layer:
            raise SandboxFault("no child")

    found = findings(Broken())

    assert [name for name, finding in found.items() if finding.ok] == ["kernel"]
    assert found["files"].detail == "no zygote" and found["locks"].detail == "no child"


def test_a_missing_second_lock_does_not_forbid_grading() -> None:
    second = Finding("second", False, False, "none here")
    report = Report((Finding("first", True, True, "holds"), second))

    assert report.ok and report.failed == ()
    assert report.table().splitlines() == [
        "first                | ok     | holds",
        "second               | off    | none here",
        "code can be graded here",
    ]


def test_one_failed_probe_forbids_grading() -> None:
    report = Report((Finding("first", True, True, "holds"), Finding("second", False, True, "open")))

    assert not report.ok and report.failed == ("second",)
    assert report.table().endswith("second               | FAILED | open\ncode must NOT be graded here; tensors can")


@pytest.mark.parametrize(("ok", "code"), [(True, 0), (False, 1)])
def test_the_exit_code_is_the_verdict(monkeypatch: pytest.MonkeyPatch, ok: bool, code: int) -> None:
    class Closed(Made):
        def __enter__(self) -> Closed:
            return self

        def __exit__(self, *error: object) -> None:
            pass

    monkeypatch.setattr(doctor, "Sandbox", Closed)
    monkeypatch.setattr(doctor, "examine", lambda sandbox: Report((Finding("first", ok, True, ""),)))

    with pytest.raises(SystemExit) as ended:
        doctor.main()

    assert ended.value.code == code


def test_the_doctor_says_whose_kernel_it_is() -> None:
    told = kernel_finding(b"<6>[   0.000000] Starting gVisor...\n").detail
    assert all(name in told for name in ("no Landlock", "no exit notification", "no page tables", "is loose"))
    assert kernel_finding(b"").detail == f"Linux {platform.release()}, the machine's own"
