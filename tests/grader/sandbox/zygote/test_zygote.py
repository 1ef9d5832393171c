"""The zygote: what it holds, whom it serves, and when it ends."""

from __future__ import annotations

import errno
import os
import resource
import socket
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from grader.sandbox import Limits, RunStatus, Sandbox, SandboxFault
from grader.sandbox.protocol import ExitCause
from grader.sandbox.trusted.doctor import examine
from tests.grader.sandbox.conftest import LIMITS, Runner, job
from tests.grader.sandbox.traces import children_of, until, zygote_of


def alive(process: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_it_holds_neither_server_nor_comparison(run: Runner) -> None:
    got = run("import sys\nprint(*sorted(sys.modules))")
    names = got.stdout.split()
    assert "grader.sandbox.child.child" in names
    assert not [name for name in names if name.startswith("grader.sandbox.trusted")]
    ours = [name for name in names if name.partition(".")[0] in ("grader", "server", "exercises", "dojo", "tests")]
    assert {name for name in ours if not name.startswith("grader.sandbox")} == {
        "grader",
        "grader.answer",
        "grader.descent",
        "grader.numerics",
    }


def test_its_environment_is_clean(run: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOJO_SECRET", "s3cret")
    with Sandbox(limits=LIMITS) as sandbox:
        got = sandbox.run(job("import os\nprint(*sorted(os.environ))"))
        environment = Path(f"/proc/{zygote_of(sandbox)}/environ").read_bytes()
    assert "DOJO_SECRET" not in got.stdout
    assert b"s3cret" not in environment and b"PATH" not in environment and b"HOME" not in environment


def test_a_zygote_of_two_threads_is_unfit() -> None:
    program = (
        "from grader import numerics\nnumerics.pin()\n"
        "import threading\nfrom grader.sandbox.zygote import zygote\n"
        "threading.Thread(target=threading.Event().wait, daemon=True).start()\n"
        "try:\n    zygote.prepare()\nexcept zygote.Unfit as reason:\n    print(reason)"
    )

    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)

    assert "the zygote has 2 threads" in said.stdout, said


def test_it_ends_with_its_sandbox() -> None:
    sandbox = Sandbox(limits=LIMITS)
    zygote = zygote_of(sandbox)
    until(lambda: len(children_of(zygote)) == 2)
    children = children_of(zygote)
    sandbox.close()
    assert not alive(zygote) and not any(alive(child) for child in children)
    with pytest.raises(SandboxFault, match="closed"):
        sandbox.run(job("dx = x"))


def test_it_ends_with_the_sandboxs_process(tmp_path: Path) -> None:
    program = (
        "import os, sys\nfrom grader import numerics\nnumerics.pin()\nfrom grader.sandbox import Sandbox\n"
        "sandbox = Sandbox()\nprint(sandbox._zygote.pid, flush=True)\nos.kill(os.getpid(), 9)\n"
    )
    said = subprocess.run([sys.executable, "-c", program], stdout=subprocess.PIPE, check=False).stdout
    until(lambda: not alive(int(said)))


def test_it_serves_over_a_unix_socket(tmp_path: Path) -> None:
    path = tmp_path / "zygote.sock"
    path.touch()  # one that was killed leaves its own
    zygote = subprocess.Popen([sys.executable, "-m", "grader.sandbox.zygote", "--listen", os.fspath(path)])
    try:
        until(path.is_socket)
        until(lambda: stat.S_IMODE(path.stat().st_mode) == 0o660)
        with Sandbox(connect=path, limits=LIMITS) as one, Sandbox(connect=path, limits=LIMITS) as other:
            assert one.run(job("dx = x")).status is RunStatus.OK
            assert other.run(job("import os\nprint(*os.environ)")).stdout.count("PATH") == 0
            report = examine(one)
            assert report.ok, report.table()
        until(lambda: not children_of(zygote.pid))  # each session ends with its sandbox
        with Sandbox(connect=path, limits=LIMITS):
            (session,) = children_of(zygote.pid)
            zygote.kill()
            until(lambda: not alive(session))  # and with the zygote
    finally:
        zygote.kill()
        zygote.wait()
    with pytest.raises(SandboxFault, match="no zygote listens"):
        Sandbox(connect=path)


def test_what_is_no_zygote_is_a_fault(tmp_path: Path) -> None:
    path = tmp_path / "other.sock"
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as door:
        door.bind(os.fspath(path))
        door.listen()

        def answer(words: bytes) -> None:
            connection, _ = door.accept()
            connection.send(words)
            connection.close()

        for words in (b"[]", b"\xff", b'{"ready": true}', b'{"ready": false, "reason": "no seccomp"}', b"{}"):
            thread = threading.Thread(target=answer, args=(words,))
            thread.start()
            with pytest.raises(SandboxFault):
                Sandbox(connect=path, limits=Limits())
            thread.join()


def test_a_child_inherits_no_descriptor() -> None:
    held = [os.open(os.devnull, os.O_RDONLY) for _ in range(400)]
    try:
        with Sandbox(limits=LIMITS) as sandbox:
            got = sandbox.run(
                job(
                    """
import os
for each in range(3, 1000):
    try:
        os.write(each, b"x")
        print("wrote to", each)
    except OSError:
        pass
"""
                )
            )
    finally:
        for each in held:
            os.close(each)
    assert got.status is RunStatus.OK, got
    assert got.stdout == ""


def test_a_zygote_that_inherits_high_descriptors_is_unfit() -> None:
    high = 600
    os.dup2(0, high, inheritable=True)
    try:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with ours, theirs:
            command = [sys.executable, "-m", "grader.sandbox.zygote", "--stdin"]
            ended = subprocess.run(
                command, stdin=theirs.fileno(), pass_fds=[high], capture_output=True, text=True, timeout=60, check=False
            )
            assert "descriptor 600 was open at the start" in ended.stderr
            assert b'"ready": false' in ours.recv(4096)
    finally:
        os.close(high)


def test_no_signal_has_a_handler(run: Runner) -> None:
    code = (
        "import signal\n"
        "for number in signal.valid_signals():\n"
        "    if signal.getsignal(number) not in (signal.SIG_DFL, signal.SIG_IGN): print(number)\n"
        "print([signal.getsignal(each).name for each in (2, 13, 25, 17)])"
    )

    assert run(code).stdout == "['SIG_DFL', 'SIG_DFL', 'SIG_DFL', 'SIG_DFL']\n"


def test_a_fork_that_fails_is_reported_and_the_zygote_goes_on() -> None:
    program = """
import errno, os, socket
from grader import numerics
numerics.pin()
from grader.sandbox import Limits, protocol
from grader.sandbox.limits import kernel_limits
from grader.sandbox.locks import jail, kernel, seccomp
from grader.sandbox.zygote import zygote

def no_fork():
    raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))

kernel.fork = no_fork
ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
lifeline, its_lifeline = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
plan = jail.LockPlan(seccomp.build(kernel.architecture()), 0, None, os.open(os.devnull, os.O_RDWR))
session = zygote._Session(zygote.Zygote(plan, None), theirs)
message = protocol.pack_fork(kernel_limits(Limits()), False)
for _ in range(2):
    socket.send_fds(ours, [message], [os.dup(0), os.dup(0), its_lifeline.fileno()])
    print(session.handle_events(), *protocol.EXIT.unpack(lifeline.recv(100)))
"""

    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)

    reported = f"True {errno.EAGAIN} 0 {int(ExitCause.NOT_FORKED)} 0"
    assert said.stdout.splitlines() == [reported, reported], said.stderr


# With no room the zygote cannot take a request; with room for one, its child cannot open what its locks need.
@pytest.mark.parametrize("room", [1, 2, 3, 4])
def test_a_zygote_without_descriptors_is_replaced(room: int) -> None:
    with Sandbox(limits=LIMITS) as small:
        until(lambda: len(small._waiting) == 2)
        zygote = zygote_of(small)
        highest = max(int(each.name) for each in Path(f"/proc/{zygote}/fd").iterdir())
        resource.prlimit(zygote, resource.RLIMIT_NOFILE, (highest + room, 256))

        for _ in range(4):
            assert small.run(job("dx = x")).status is RunStatus.OK
