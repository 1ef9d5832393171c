"""The code_runner with a zygote that runs elsewhere."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from grader.sandbox import SandboxFault
from grader.sandbox.trusted.doctor import Finding, Report
from server.grading.code_runner import CodeRunner
from server.processes.peers import Peers
from server.services import make_code_runner
from server.settings import Settings
from tests.support.servers import FakeSandbox, eventually


@contextmanager
def listening(socket: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A zygote as a container has it."""
    zygote = subprocess.Popen([sys.executable, "-m", "grader.sandbox.zygote", "--listen", socket])
    try:
        yield zygote
    finally:
        zygote.kill()
        zygote.wait()


@pytest.mark.parametrize(("again_seconds", "is_well"), [(0.0, True), (60.0, False)])
def test_a_lock_that_did_not_hold_is_tried_again_after_a_while(again_seconds: float, is_well: bool) -> None:
    reports = iter([Report((Finding("memory", False, True, "too busy"),)), Report(())])
    code_runner = CodeRunner(FakeSandbox, lambda _: next(reports), again_seconds)
    assert "do not hold: memory" in str(code_runner.inspect())

    assert (code_runner.inspect() is None) is is_well
    assert code_runner.is_ready() is is_well


def test_a_zygote_elsewhere_is_used_missed_and_found_again(tmp_path: Path) -> None:
    socket = tmp_path / "zygote.sock"
    code_runner = make_code_runner(Settings(zygote=socket, children=1), Peers.alone())
    assert "no zygote listens" in str(code_runner.inspect())
    with listening(socket):
        assert eventually(lambda: code_runner.inspect() is None)
    assert eventually(lambda: "no zygote listens" in str(code_runner.inspect()))
    with listening(socket):
        assert eventually(lambda: code_runner.inspect() is None)
        assert code_runner.is_ready()  # the doctor has seen the new one
    code_runner.close()


def test_the_doctor_looks_again_when_he_is_asked() -> None:
    reports = iter([Report(()), Report((Finding("memory", False, True, "open"),))])
    code_runner = CodeRunner(FakeSandbox, lambda _: next(reports))
    with pytest.raises(SandboxFault):
        code_runner.examine_now()  # nothing was opened yet
    assert code_runner.inspect() is None

    assert code_runner.examine_now().failed == ("memory",)
