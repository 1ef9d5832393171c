"""The layers of the lock-in, asked of the kernel: what it says of a child that waits."""

from __future__ import annotations

import errno
import os
import resource
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from grader.sandbox import Limits, Sandbox
from grader.sandbox.limits import KernelLimits, kernel_limits
from grader.sandbox.locks import jail, kernel
from grader.sandbox.protocol import Layer
from tests.grader.sandbox.conftest import LIMITS
from tests.grader.sandbox.traces import children_of, until, zygote_of

SMALL = KernelLimits(
    cpu_seconds=3, data_bytes=10, address_bytes=20, stack_bytes=30, file_bytes=40, files=50, processes=60
)


@pytest.fixture(scope="module")
def child() -> Iterator[Path]:
    """The folder in /proc of a child that waits for its job."""
    with Sandbox(limits=LIMITS) as sandbox:
        until(lambda: len(sandbox._waiting) == 2)
        assert all(child.wait_until_ready() for child in sandbox._waiting)
        yield Path(f"/proc/{children_of(zygote_of(sandbox))[0]}")


def status(child: Path) -> dict[str, str]:
    lines = (child / "status").read_text().splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def test_the_kernel_enforces_the_limits(child: Path) -> None:
    limits = {line[:26].strip(): line[26:].split()[:2] for line in (child / "limits").read_text().splitlines()}

    assert limits["Max cpu time"] == ["1", "2"]
    assert limits["Max file size"] == [str(2**20)] * 2
    assert limits["Max stack size"] == [str(8 * 2**20)] * 2
    assert limits["Max core file size"] == ["0", "0"]
    assert limits["Max processes"] == ["1", "1"]
    assert limits["Max open files"] == ["64", "64"]
    assert limits["Max locked memory"] == ["0", "0"]
    assert limits["Max msgqueue size"] == ["0", "0"]
    held = {name: int(status(child)[name].split()[0]) * 1024 for name in ("VmSize", "VmData", "VmStk")}
    # What the child has mapped since then is its own: a rehearsal's worth.
    address, data = int(limits["Max address space"][0]), int(limits["Max data size"][0])
    assert abs(address - held["VmSize"] - LIMITS.address_bytes) < 32 * 2**20
    assert abs(data - held["VmData"] - LIMITS.data_bytes) < 32 * 2**20


def test_the_kernel_holds_it_locked_in(child: Path) -> None:
    said = status(child)

    assert said["NoNewPrivs"] == "1" and said["Seccomp"] == "2"
    assert {said[name] for name in ("CapInh", "CapPrm", "CapEff", "CapAmb")} == {"0" * 16}
    assert said["Threads"] == "1"
    assert os.getsid(int(child.name)) == int(child.name)
    assert (child / "oom_score_adj").read_text() == "1000\n"
    if os.geteuid() == 0:
        assert said["Uid"].split() == said["Gid"].split() == ["65534"] * 4
        assert said["Groups"] == ""
        assert (child / "status").stat().st_uid == 0  # not dumpable: what is its own in /proc belongs to root
        # The child closes its end of the exit notification after it has sent it.
        until(lambda: sorted(int(each.name) for each in (child / "fd").iterdir()) == [0, 1, 2, 3])
        assert {os.readlink(child / f"fd/{number}") for number in range(3)} == {"/dev/null"}  # noqa: PTH115


def test_limits_are_the_ones_asked_for() -> None:
    address, data = jail.memory_held()

    wanted = jail._rlimits(SMALL)

    assert wanted[resource.RLIMIT_CPU] == (3, 4)
    assert {which: soft for which, (soft, hard) in wanted.items() if soft == hard and soft < 100} == {
        resource.RLIMIT_STACK: 30,
        resource.RLIMIT_FSIZE: 40,
        resource.RLIMIT_NOFILE: 50,
        resource.RLIMIT_NPROC: 60,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_MEMLOCK: 0,
        resource.RLIMIT_MSGQUEUE: 0,
    }
    # Between the two looks this process may map a little more.
    assert 0 <= wanted[resource.RLIMIT_AS][0] - address - 20 < 2**24
    assert 0 <= wanted[resource.RLIMIT_DATA][0] - data - 10 < 2**24
    assert address > data > 0


def test_a_kernel_that_leaves_data_out_of_statm_is_asked_for_its_status(tmp_path: Path) -> None:
    (tmp_path / "statm").write_text("5587 3602 0 0 0 0 0\n")
    (tmp_path / "status").write_text("VmSize:\t22348 kB\nVmData:\t6380 kB\n")

    assert jail.memory_held(str(tmp_path)) == (5587 * resource.getpagesize(), 6380 * 1024)


def test_a_limit_that_the_kernel_does_not_have_is_found_out() -> None:
    def setrlimit(which: int, values: tuple[int, int]) -> None:
        raise ValueError("current limit exceeds maximum limit")

    assert not jail.has_rlimit(resource.RLIMIT_MSGQUEUE, setrlimit)
    assert jail.has_rlimit(resource.RLIMIT_CORE)


def test_a_limit_is_never_above_the_one_in_force(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda which: (1, 2))

    wanted = jail._rlimits(SMALL)

    assert wanted[resource.RLIMIT_CPU] == (2, 2) and wanted[resource.RLIMIT_NOFILE] == (2, 2)
    assert wanted[resource.RLIMIT_CORE] == (0, 0)


@pytest.mark.parametrize(("seconds", "whole"), [(0.1, 1), (1, 1), (1.01, 2), (2.5, 3)])
def test_cpu_seconds_are_rounded_up(seconds: float, whole: int) -> None:
    assert kernel_limits(Limits(cpu_seconds=seconds)).cpu_seconds == whole


def test_each_limit_goes_to_its_own_place() -> None:
    limits = Limits(
        cpu_seconds=3, data_bytes=10, address_bytes=20, stack_bytes=30, file_bytes=40, files=50, processes=60
    )

    assert kernel_limits(limits) == SMALL


def forked(question: Callable[[], int]) -> int:
    """What a child of this process answers, a number below 2³¹."""
    read, write = os.pipe()
    process = os.fork()
    if process == 0:
        try:
            os.write(write, str(question()).encode())
        finally:
            os._exit(0)
    os.close(write)
    with os.fdopen(read) as answer:
        said = answer.read()
    os.waitpid(process, 0)
    return int(said)


def attest(wanted: dict[int, tuple[int, int]]) -> int:
    """What a process finds that is as it is."""
    null = os.open(os.devnull, os.O_RDWR)
    return jail.attest(jail.evidence(wanted, null))


def test_a_free_process_vouches_for_nothing() -> None:
    assert Layer(forked(lambda: attest({}))) & ~Layer.DIES_WITH_ZYGOTE == Layer(0)
    assert Layer.RLIMITS not in Layer(forked(lambda: attest({resource.RLIMIT_CORE: (12345, 12345)})))


def test_limits_as_they_are_wanted_are_reported() -> None:
    wanted = {resource.RLIMIT_CORE: resource.getrlimit(resource.RLIMIT_CORE)}

    assert Layer.RLIMITS in Layer(forked(lambda: attest(wanted)))


def test_privileges_need_no_new_privs_too() -> None:
    def without() -> int:
        kernel.make([jail.no_capabilities()])
        return attest({})

    def both() -> int:
        kernel.make([jail.no_new_privileges()])
        return without()

    assert Layer.PRIVILEGES not in Layer(forked(without))
    assert Layer.PRIVILEGES in Layer(forked(both))


def test_dumpable_is_reported() -> None:
    def closed() -> int:
        kernel.prctl(kernel.PR_SET_DUMPABLE, 0)
        return attest({})

    assert Layer.NOT_DUMPABLE in Layer(forked(closed))


def test_an_orphan_leaves_at_once() -> None:
    def orphan() -> int:
        try:
            kernel.make(jail.death_with_parent(os.getpid()))  # nobody's own parent
        except OSError:
            return 1
        return 0

    assert forked(orphan) == 1


def test_a_prepared_call_may_be_refused_only_as_foreseen() -> None:
    machine = kernel.architecture()
    closed = (machine.number("close"), 10_000)

    kernel.make([kernel.Call(closed, refusal=errno.EBADF)])

    with pytest.raises(OSError, match="Bad file descriptor"):
        kernel.make([kernel.Call(closed)])
    with pytest.raises(OSError, match="returned"):
        kernel.make([kernel.Call((machine.number("getpid"),), os.getpid() + 1)])
    assert kernel.attempt(closed) == -errno.EBADF


@pytest.mark.parametrize(("number", "told"), [(None, True), (9, False), (100, False), (255, False)])
def test_an_open_descriptor_is_reported(number: int | None, told: bool) -> None:
    def left() -> int:
        null = os.open(os.devnull, os.O_RDWR)
        evidence = jail.evidence({}, null)
        kernel.make(jail.null_descriptors(null))
        os.closerange(3, jail.DESCRIPTORS_MAX)
        os.dup2(0, 3)
        if number is not None:
            os.dup2(0, number)
        return int(Layer.DESCRIPTORS in Layer(jail.attest(evidence)))

    # The answer's pipe is closed with the rest: the exit code has to do.
    process = os.fork()
    if process == 0:
        os._exit(left())
    assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == int(told)
