"""Runs, the children that wait for them, and the zygotes that are replaced."""

from __future__ import annotations

import errno
import math
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from grader.sandbox import Limits, Run, RunStatus, Sandbox, SandboxFault, Timing
from grader.sandbox.trusted.processes import ChildHandle, ZygoteHandle
from grader.sandbox.zygote.memory import held_bytes
from grader.supervision import Backoff
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


@pytest.mark.parametrize(
    ("limits", "is_taken"),
    [(LIMITS, True), (replace(LIMITS, wall_seconds=30), True), (replace(LIMITS, files=32), False)],
)
def test_a_child_made_ahead_is_taken_whatever_the_wall_time(limits: Limits, is_taken: bool) -> None:
    with Sandbox(limits=LIMITS) as own:
        until(lambda: len(own._waiting) == 2)
        first = own._waiting[0]

        assert own.run(job("", limits)).status is RunStatus.OK

        assert (first not in own._waiting) == is_taken


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


def test_who_closes_cleans_up_what_is_left() -> None:
    cleaned_up: list[str] = []

    def child(name: str, *, waits: bool = False) -> Any:
        def clean_up() -> None:
            if waits:
                sandbox._closing.wait()  # so the thread that cleans up ends with the next one in its queue
            cleaned_up.append(name)

        return SimpleNamespace(clean_up=clean_up)

    with Sandbox(limits=LIMITS) as sandbox:
        sandbox._cleanup.put(child("first", waits=True))
        sandbox._cleanup.put(child("second"))

    assert cleaned_up == ["first", "second"]


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


PAGE_TABLES = """
import ctypes, time
libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = ctypes.c_void_p
libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
for _ in range(60_000):
    at = libc.mmap(None, ctypes.c_size_t(8 << 20), RIGHTS, 0x22, -1, ctypes.c_long(0))
    if at == 2**64 - 1:  # no more data; it is measured soon
        time.sleep(20)
    ctypes.memset(at, 1, 1) if RIGHTS == 3 else ctypes.string_at(at, 1)
    libc.munmap(at + 4096, (8 << 20) - 4096)
"""


@pytest.mark.parametrize("rights", [1, 3], ids=["read only", "written"])
def test_page_tables_count_as_memory(rights: int) -> None:
    limits = Limits(cpu_seconds=20, wall_seconds=60, data_bytes=32 * 1024**2)
    with Sandbox(limits=limits) as sandbox:
        run = sandbox.run(job(PAGE_TABLES.replace("RIGHTS", str(rights)), limits))

        assert run.status is RunStatus.MEMORY_LIMIT
        assert run.message.startswith("No more than 32 MiB of memory is available")
        assert sandbox.run(job("dx = x", limits)).status is RunStatus.OK


def test_a_run_may_use_all_the_memory_that_it_has(sandbox: Sandbox) -> None:
    held = "import time\nheld = [bytearray(b'x' * 2**20) for _ in range(190)]\ntime.sleep(0.2)\ndx = x"

    assert sandbox.run(job(held)).status is RunStatus.OK


def test_a_large_child_killed_from_outside_met_the_memory_limit() -> None:
    with Sandbox(limits=LIMITS) as sandbox:
        code = "held = bytearray(b'x' * 2**20) * 200\nimport time\ntime.sleep(60)"
        with running(sandbox, job(code, PATIENT)) as outcome:
            zygote = zygote_of(sandbox)
            until(lambda: any(held_bytes(child) - held_bytes(zygote) > 190 * 2**20 for child in children_of(zygote)))
            time.sleep(0.2)  # the zygote has measured it meanwhile
            for child in children_of(zygote):
                os.kill(child, signal.SIGKILL)
        assert isinstance(outcome[0], Run) and outcome[0].status is RunStatus.MEMORY_LIMIT


class FlakyZygote(ZygoteHandle):
    """A zygote whose calls fail as often as it is told to, in a way that nobody foresaw."""

    failures = 0

    def fork(self, limits: Limits, *, rehearse: bool = True) -> ChildHandle:
        """Fail, or fork."""
        if self.failures:
            self.failures -= 1
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return super().fork(limits, rehearse=rehearse)

    def is_alive(self) -> bool:
        """Fail, or tell."""
        if self.failures:
            self.failures -= 1
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        return super().is_alive()


class FlakySandbox(Sandbox):
    """A sandbox with such a zygote."""

    def _start_zygote(self) -> ZygoteHandle:
        return FlakyZygote.start()


def test_the_maintenance_outlives_every_error(caplog: pytest.LogCaptureFixture) -> None:
    with FlakySandbox(limits=LIMITS, backoff=Backoff(0.001, 0.001, 60.0)) as sandbox:
        until(lambda: len(sandbox._waiting) == 2)
        zygote = sandbox._zygote
        assert isinstance(zygote, FlakyZygote)
        zygote.failures = 20

        assert sandbox.run(job("dx = x")).status is RunStatus.OK
        until(lambda: zygote.failures == 0 and len(sandbox._waiting) == 2)
        assert sandbox.run(job("dx = x")).status is RunStatus.OK
        (maintenance,) = sandbox.threads
        assert maintenance.is_alive and maintenance.last_error == "OSError: Bad file descriptor"
    assert caplog.text.count("its work begins again") == 1


EXHAUSTED = """
import contextlib, os, resource, sys
from grader.sandbox import Sandbox, SandboxFault
from grader.sandbox.job import SandboxExhausted
from tests.grader.sandbox.conftest import LIMITS, job
from tests.grader.sandbox.traces import children_of, until, zygote_of

def limit(descriptors):
    resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, 4096))

task = job("dx = x")
with Sandbox(limits=LIMITS) as sandbox:
    until(lambda: len(sandbox._waiting) == 2)
    limit(3)
    lost = 0
    for _ in range(5):
        try:
            sandbox.run(task)
        except SandboxExhausted:
            lost += 1
    print(lost, sandbox.threads[0].is_alive)
    limit(4096)
    print(sandbox.run(task).status)
    until(lambda: len(sandbox._waiting) == 2)
    until(lambda: len(children_of(zygote_of(sandbox))) == 2)
    print(sandbox.run(task).status, sandbox.generation, sandbox.threads[0].is_alive)
"""


def test_it_goes_on_when_descriptors_have_run_out() -> None:
    command = [sys.executable, "-c", EXHAUSTED]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}

    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    lost, *rest = done.stdout.split()
    assert int(lost) >= 3  # two children waited, and their descriptors were there
    assert rest == ["True", "ok", "ok", "1", "True"], done.stderr
