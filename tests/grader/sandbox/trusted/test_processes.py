"""The trusted side's hold on a zygote, here a fake one: what it sends, and what it takes for an answer."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from grader.sandbox import Limits, SandboxFault, protocol
from grader.sandbox.job import SandboxExhausted
from grader.sandbox.limits import kernel_limits
from grader.sandbox.protocol import Layer
from grader.sandbox.result_layout import result_bytes
from grader.sandbox.trusted.processes import ChildHandle, ZygoteDied, ZygoteHandle
from grader.sandbox.zygote import zygote as real
from tests.grader.sandbox.conftest import LIMITS


@dataclass
class Fake:
    """The zygote's end of a channel."""

    control: socket.socket

    def request(self) -> tuple[bytes, list[int]]:
        message, descriptors, _, _ = socket.recv_fds(self.control, 1024, 8)
        return message, descriptors


@pytest.fixture
def pair() -> Iterator[tuple[ZygoteHandle, Fake]]:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    theirs.send(json.dumps({"ready": True, "landlock": 5}).encode())
    theirs.settimeout(60)
    with theirs:
        zygote = ZygoteHandle(ours, None)
        yield zygote, Fake(theirs)
        zygote.close()


def test_a_request_has_limits_and_three_descriptors(pair: tuple[ZygoteHandle, Fake]) -> None:
    zygote, fake = pair
    child = zygote.fork(LIMITS, rehearse=False)

    message, descriptors = fake.request()

    assert protocol.unpack_fork(message) == (kernel_limits(LIMITS), False)
    assert len(descriptors) == 3 and zygote.landlock == 5
    _, memory, _ = descriptors
    seals = fcntl.fcntl(memory, fcntl.F_GET_SEALS)
    assert seals == fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL
    assert os.fstat(memory).st_size == result_bytes(LIMITS) == len(child.buffer)
    with pytest.raises(TypeError):
        child.buffer[0] = 1  # the trusted side reads
    for descriptor in descriptors:
        os.close(descriptor)
    child.clean_up()


def ready(pair: tuple[ZygoteHandle, Fake], *, say: bytes, died: bool) -> tuple[ChildHandle, bool]:
    zygote, fake = pair
    child = zygote.fork(LIMITS)
    _, (channel, memory, lifeline) = fake.request()
    os.write(channel, say)
    if died:
        os.write(lifeline, protocol.EXIT.pack(0, 0, 0, 0))
    for descriptor in (channel, memory, lifeline):
        os.close(descriptor)
    return child, child.wait_until_ready()


def test_a_child_says_that_it_is_ready(pair: tuple[ZygoteHandle, Fake]) -> None:
    zygote, fake = pair
    child = zygote.fork(LIMITS)
    _, (channel, memory, lifeline) = fake.request()
    with socket.socket(fileno=os.dup(channel)) as speaking:
        socket.send_fds(speaking, [protocol.READY.pack(Layer.SESSION | Layer.RLIMITS)], [memory])

    assert child.wait_until_ready() and child.layers == Layer.SESSION | Layer.RLIMITS
    assert child._listener is not None and not os.get_inheritable(child._listener)

    for descriptor in (channel, memory, lifeline):
        os.close(descriptor)
    child.clean_up()


@pytest.mark.parametrize("say", [b"", b"\0", protocol.READY.pack(0)])
def test_a_child_that_died_meanwhile_is_not_ready(pair: tuple[ZygoteHandle, Fake], say: bytes) -> None:
    child, is_ready = ready(pair, say=say, died=True)

    assert not is_ready
    child.clean_up()


@pytest.mark.parametrize("say", [b"", protocol.READY.pack(0)])
def test_a_child_without_its_zygote_is_reported(pair: tuple[ZygoteHandle, Fake], say: bytes) -> None:
    with pytest.raises(ZygoteDied):
        ready(pair, say=say, died=False)


def test_a_closed_lifeline_asks_for_a_kill(pair: tuple[ZygoteHandle, Fake]) -> None:
    zygote, fake = pair
    child = zygote.fork(LIMITS)
    _, (channel, memory, lifeline) = fake.request()

    child.kill()

    assert os.read(lifeline, 1) == b""
    for descriptor in (channel, memory, lifeline):
        os.close(descriptor)
    child.clean_up()


@pytest.mark.parametrize(
    ("status", "exit_code", "number"), [(0, 0, None), (3 << 8, 3, None), (11, None, 11), (9 | 0x80, None, 9)]
)
def test_the_kernels_word_is_taken(
    pair: tuple[ZygoteHandle, Fake], status: int, exit_code: int | None, number: int | None
) -> None:
    zygote, fake = pair
    child = zygote.fork(LIMITS)
    _, (channel, memory, lifeline) = fake.request()
    os.write(lifeline, protocol.EXIT.pack(status, 1_500_000, 0, 0))

    end = child.wait_for_exit(30)

    assert (end.exit_code, end.signal, end.cpu_seconds, end.timed_out) == (exit_code, number, 1.5, False)
    for descriptor in (channel, memory, lifeline):
        os.close(descriptor)
    child.clean_up()


def test_a_zygote_that_is_gone_forks_nothing(pair: tuple[ZygoteHandle, Fake]) -> None:
    zygote, fake = pair
    assert zygote.is_alive()

    fake.control.close()

    assert not zygote.is_alive()
    with pytest.raises(ZygoteDied, match="the zygote is gone"):
        zygote.fork(LIMITS)


def test_a_retired_zygote_ends_with_its_last_child(pair: tuple[ZygoteHandle, Fake]) -> None:
    zygote, fake = pair
    child = zygote.fork(LIMITS)
    _, descriptors = fake.request()

    zygote.retire()
    assert zygote.is_alive()
    for descriptor in descriptors:
        os.close(descriptor)
    child.clean_up()

    assert fake.control.recv(1) == b""


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4])
def test_a_zygote_takes_no_other_request(count: int) -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    held = [os.open(os.devnull, os.O_RDONLY) for _ in range(count)]
    whole = protocol.pack_fork(kernel_limits(Limits()), True)
    with ours, theirs:
        for message in (whole, whole[:-1], whole + b"\0", b"x"):
            socket.send_fds(ours, [message], held)
            before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
            request = real._receive(theirs)
            assert (request is not None) is (message == whole)
            if request is not None:
                assert len(request[1]) == (3 if count >= 3 else 0)  # the kernel drops a fourth
                for descriptor in request[1]:
                    os.close(descriptor)
            assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208
    for descriptor in held:
        os.close(descriptor)


def test_a_zygote_is_started_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    zygote = ZygoteHandle.start()
    try:
        assert zygote.pid is not None
        process = Path(f"/proc/{zygote.pid}")
        assert os.getsid(zygote.pid) == zygote.pid
        assert os.readlink(process / "cwd") == "/"  # noqa: PTH115
        assert os.readlink(process / "fd/1") == os.devnull  # noqa: PTH115
        assert (process / "status").read_text().count("Threads:\t1\n") == 1
    finally:
        zygote.close()


def test_a_program_that_cannot_be_started_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.executable", "/nonexistent/python")

    with pytest.raises(SandboxFault, match="the zygote cannot be started"):
        ZygoteHandle.start()


def test_a_child_that_was_not_forked_is_our_fault(pair: tuple[ZygoteHandle, Fake]) -> None:
    zygote, fake = pair
    child = zygote.fork(LIMITS)
    _, descriptors = fake.request()
    os.write(descriptors[2], protocol.EXIT.pack(errno.EAGAIN, 0, protocol.ExitCause.NOT_FORKED, 0))
    os.close(descriptors[0])

    with pytest.raises(SandboxExhausted, match="no child can be forked"):
        child.wait_until_ready()

    for descriptor in descriptors[1:]:
        os.close(descriptor)
    child.clean_up()


def test_a_listener_for_which_there_was_no_room_is_our_fault(pair: tuple[ZygoteHandle, Fake]) -> None:
    with pytest.raises(SandboxExhausted, match="ulimit -n"):
        ready(pair, say=protocol.READY.pack(Layer.EXIT_NOTIFICATION), died=False)


def test_a_long_run_is_measured_and_a_short_one_is_not(pair: tuple[ZygoteHandle, Fake]) -> None:
    zygote, fake = pair
    for seconds, asked in ((0.0, b""), (0.2, protocol.RUN)):
        child = zygote.fork(LIMITS)
        _, (channel, memory, lifeline) = fake.request()
        ending = threading.Timer(seconds, os.write, (lifeline, protocol.EXIT.pack(0, 0, 0, 0)))
        if seconds:
            ending.start()
        else:
            os.write(lifeline, protocol.EXIT.pack(0, 0, 0, 0))

        child.wait_for_exit(30)
        child.kill()

        assert os.read(lifeline, 10) == asked
        for descriptor in (channel, memory, lifeline):
            os.close(descriptor)
        child.clean_up()


def test_an_exit_is_read_though_the_order_to_measure_was_not(pair: tuple[ZygoteHandle, Fake]) -> None:
    zygote, fake = pair
    child = zygote.fork(LIMITS)
    _, descriptors = fake.request()
    child._lifeline.send(protocol.RUN)
    os.write(descriptors[2], protocol.EXIT.pack(11, 0, 0, 0))
    for descriptor in descriptors:
        os.close(descriptor)

    assert child.wait_for_exit(30).signal == 11
    child.clean_up()
