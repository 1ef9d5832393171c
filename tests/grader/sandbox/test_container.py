"""The sandbox in a container: no privilege at all, and Docker's default seccomp profile around everything."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]


def confined(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tests.grader.sandbox.container", sys.executable, *command],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_profile_is_in_force() -> None:
    got = confined(
        "-c",
        "import ctypes; libc = ctypes.CDLL(None, use_errno=True)\n"
        "print(libc.unshare(0x10000000), ctypes.get_errno())\n"  # CLONE_NEWUSER
        "print(open('/proc/self/status').read())",
    )
    assert got.stdout.startswith("-1 1\n"), got
    assert "CapEff:\t0000000000000000" in got.stdout and "CapBnd:\t0000000000000000" in got.stdout
    assert "Seccomp:\t2" in got.stdout and "NoNewPrivs:\t1" in got.stdout


def test_the_doctor_finds_every_lock_in_place() -> None:
    got = confined("-m", "grader.sandbox.trusted.doctor")
    assert got.returncode == 0, got.stdout + got.stderr
    assert "FAILED" not in got.stdout and "code can be graded here" in got.stdout


def test_hostile_submissions_end_as_elsewhere() -> None:
    """A selection; ``python -m tests.grader.sandbox.container python -m pytest tests/hostile`` runs all."""
    some = "syscalls or sockets or processes or honest"
    got = confined("-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/hostile", "-k", some)
    assert got.returncode == 0, got.stdout[-3000:]
