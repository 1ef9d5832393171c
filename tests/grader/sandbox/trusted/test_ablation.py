"""With each layer switched off, the doctor fails the probe that the layer is for: so the probe can fail."""

from __future__ import annotations

import os
import socket
from dataclasses import replace

import pytest

from grader.sandbox import Sandbox
from grader.sandbox.trusted.doctor import examine
from grader.sandbox.trusted.processes import ZygoteHandle
from tests.grader.sandbox.conftest import LIMITS, job
from tests.grader.sandbox.traces import children_of, until, zygote_of


class Ablated(Sandbox):
    """A sandbox with layers left off. Only a test can make one: by an option of the zygote's command line."""

    def __init__(self, without: str) -> None:
        self._without = without
        super().__init__(limits=LIMITS)

    def _start_zygote(self) -> ZygoteHandle:
        return ZygoteHandle.start(f"--without={self._without}")


def test_nothing_is_left_off() -> None:
    with Ablated("") as sandbox:
        report = examine(sandbox)
    assert report.ok, report.table()
    assert report.table().endswith("code can be graded here")


@pytest.mark.parametrize(
    ("layer", "probes"),
    [
        # The kernel clears "dumpable" by itself where the layer of privileges changes the user.
        ("session", {"session", "dies with zygote"} | ({"not dumpable"} if os.geteuid() != 0 else set())),
        ("descriptors", {"descriptors", "descriptors at work"}),
        ("privileges", {"privileges"}),
        # The zygote measures as well, so memory is limited without them.
        ("rlimits", {"rlimits", "address space", "processor time"}),
        ("landlock", {"landlock"}),
        (
            "seccomp",
            {"metadata", "sockets", "signals", "other processes", "ptrace", "executable memory", "shared memory"},
        ),
    ],
)
def test_without(layer: str, probes: set[str]) -> None:
    if layer == "privileges" and os.geteuid() != 0:
        pytest.skip("there are no privileges to drop")
    with Ablated(layer) as sandbox:
        if layer == "landlock" and not sandbox.landlock:
            pytest.skip("this kernel has no Landlock")
        report = examine(sandbox)
    assert not report.ok
    assert probes <= set(report.failed), report.table()
    assert "must NOT be graded" in report.table()
    others = {"honest run", "wall time", "output"}
    assert not others & set(report.failed), report.table()


def test_landlock_alone_closes_files_and_network() -> None:
    attempts = """
import os, socket
def attempt(what, act, *arguments):
    try:
        act(*arguments)
        print("OPEN:", what)
    except PermissionError:
        print("refused:", what)
    except OSError as error:
        print("other:", what, error)
attempt("reading", open, "/etc/hostname")
attempt("listing", os.listdir, "/tmp")
attempt("writing", open, "/tmp/landlock-test", "w")
attempt("a folder", os.mkdir, "/tmp/landlock-test")
attempt("a link", os.symlink, "/", "/tmp/landlock-test")
attempt("a fifo", os.mkfifo, "/tmp/landlock-test")
attempt("a program", os.execv, "/bin/true", ["true"])
"""
    network = """
stream = socket.socket()
attempt("binding", stream.bind, ("127.0.0.1", 0))
attempt("connecting", stream.connect, ("127.0.0.1", 9))
"""
    scopes = """
attempt("a signal to another child", os.kill, SIBLING, 0)
attempt("an abstract socket", socket.socket(socket.AF_UNIX).connect, "\\0SOCKET")
"""
    name = f"dojo-landlock-test-{os.getpid()}"
    with Ablated("seccomp") as sandbox, socket.socket(socket.AF_UNIX) as listener:
        if not sandbox.landlock:
            pytest.skip("this kernel has no Landlock")
        listener.bind(f"\0{name}")
        listener.listen()
        until(lambda: len(children_of(zygote_of(sandbox))) == 2)
        sibling = children_of(zygote_of(sandbox))[0]
        scopes = scopes.replace("SIBLING", str(sibling)).replace("SOCKET", name)
        source = attempts + network * (sandbox.landlock >= 4) + scopes * (sandbox.landlock >= 6)
        # These limits are nobody else's: a third child is made, and the other two wait.
        got = sandbox.run(job(source, replace(LIMITS, file_bytes=4096)))

    assert got.stdout.count("refused: ") == source.count('attempt("') == len(got.stdout.splitlines()), got
