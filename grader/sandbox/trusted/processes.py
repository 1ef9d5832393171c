"""Handles on a zygote and on its children: sockets, mappings, process ids, and how the processes end."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import mmap
import os
import select
import socket
import subprocess
import threading
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Self

from grader.sandbox import protocol, zygote_command
from grader.sandbox.job import Job, SandboxExhausted, SandboxFault
from grader.sandbox.limits import Limits, kernel_limits
from grader.sandbox.protocol import ExitCause, Layer
from grader.sandbox.result_layout import result_bytes
from grader.sandbox.trusted.exit_notification import read_exit_code

_START_SECONDS_MAX: Final = 90.0  # torch from a cold disk
_READY_SECONDS_MAX: Final = 15.0  # a child on a busy machine
# Most runs are over sooner. The zygote has no work with them, and they have no time for many page tables.
_UNMEASURED_SECONDS: Final = 0.015
_EXIT_SECONDS_MAX: Final = 5.0  # from SIGKILL to the exit report
_EXHAUSTED: Final = (errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS, errno.ETOOMANYREFS, errno.EAGAIN)
_SEALS: Final = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL


class ZygoteDied(SandboxFault):
    """The zygote closed its end of a channel, or does not answer."""


@dataclass(frozen=True, slots=True)
class ChildExit:
    """How a child ended, as the kernel reports it. ``signal`` is None if it left by itself, with ``exit_code``."""

    exit_code: int | None
    signal: int | None
    cpu_seconds: float = 0.0  # 0 if the exit notification came first
    timed_out: bool = False  # the trusted side had it killed
    over_memory: bool = False  # the zygote killed it
    memory_bytes: int = 0  # the most that the zygote measured above its own, with page tables


class ZygoteHandle:
    """A zygote that is ready to fork. Thread-safe."""

    def __init__(self, control: socket.socket, process: subprocess.Popen[bytes] | None) -> None:
        self.started_at = time.monotonic()
        self.fork_count = 0
        self._control = control
        self._process = process
        self._children: set[ChildHandle] = set()
        self._retired = False
        self._lock = threading.Lock()
        self.landlock = self._read_hello()

    @classmethod
    def start(cls, *options: str) -> Self:
        """Start a zygote: another program, with a clean environment and one socket.

        :raises SandboxFault: if it cannot start, or cannot hold a sandbox
        """
        try:
            ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        except OSError as error:
            raise SandboxExhausted(f"the zygote cannot be started ({error.strerror})") from None
        with theirs:
            try:
                process = subprocess.Popen(
                    zygote_command.command("--stdin", *options),
                    # Standard input has a low number. A child closes inherited descriptors by number.
                    stdin=theirs.fileno(),
                    stdout=subprocess.DEVNULL,
                    env=zygote_command.ENVIRONMENT,
                    cwd="/",
                    start_new_session=True,  # Ctrl-C at the server's terminal is for the server alone
                )
            except OSError as error:
                ours.close()
                raise SandboxFault(f"the zygote cannot be started ({error})") from None
        return cls(ours, process)

    @classmethod
    def connect(cls, path: Path) -> Self:
        """Connect to a zygote that listens on a unix socket, for example in a container.

        :raises SandboxFault: if none listens there
        """
        try:
            control = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        except OSError as error:
            raise SandboxExhausted(f"no connection to {path} can be opened ({error.strerror})") from None
        try:
            control.connect(os.fspath(path))
        except OSError as error:
            control.close()
            raise SandboxFault(f"no zygote listens on {path} ({error.strerror}); start it") from None
        return cls(control, None)

    @property
    def pid(self) -> int | None:
        """Process id of a zygote that this process started, else None."""
        return self._process.pid if self._process else None

    def fork(self, limits: Limits, *, rehearse: bool = True) -> ChildHandle:
        """Ask for a child. Returns at once; ``ChildHandle.wait_until_ready`` waits for it.

        A child that does not rehearse is ready in a third of the time, and its run takes longer.

        :raises ZygoteDied: if the zygote is gone
        :raises SandboxExhausted: if this process has no descriptors or memory left
        """
        try:
            with contextlib.ExitStack() as theirs, contextlib.ExitStack() as ours:
                child = self._open_child(result_bytes(limits), theirs, ours)
                self._request(child, protocol.pack_fork(kernel_limits(limits), rehearse))
                ours.pop_all()  # they are the child's now
                return child.handle
        except OSError as error:
            raise SandboxExhausted(f"no child can be made ({error.strerror}); look at the server's limits") from None

    def _open_child(self, size: int, theirs: contextlib.ExitStack, ours: contextlib.ExitStack) -> _NewChild:
        """Make the channels and the memory of a child. ``theirs`` go to the zygote, ``ours`` are closed if it fails."""
        channel, their_channel = socket.socketpair()
        ours.enter_context(channel)
        theirs.enter_context(their_channel)
        lifeline, their_lifeline = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.enter_context(lifeline)
        theirs.enter_context(their_lifeline)
        memory = os.memfd_create("result", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        theirs.callback(os.close, memory)
        os.ftruncate(memory, size)
        fcntl.fcntl(memory, fcntl.F_ADD_SEALS, _SEALS)
        buffer = ours.enter_context(mmap.mmap(memory, size, prot=mmap.PROT_READ))
        handle = ChildHandle(self, channel, lifeline, buffer)
        return _NewChild(handle, [their_channel.fileno(), memory, their_lifeline.fileno()])

    def _request(self, child: _NewChild, message: bytes) -> None:
        """Send the request for a child.

        :raises ZygoteDied: if the zygote is gone
        """
        with self._lock:
            try:
                socket.send_fds(self._control, [message], child.descriptors, socket.MSG_NOSIGNAL)
            except OSError as error:
                if error.errno in _EXHAUSTED:
                    raise
                raise ZygoteDied(f"the zygote is gone ({error.strerror})") from None
            self._children.add(child.handle)
            self.fork_count += 1

    def is_alive(self) -> bool:
        """Whether it holds its end of the control channel, on which it says nothing after HELLO."""
        return not _is_readable(self._control)

    def retire(self) -> None:
        """Fork no more, and end after the last child is cleaned up."""
        with self._lock:
            self._retired = True
            idle = not self._children
        if idle:
            self.close()

    def remove(self, child: ChildHandle) -> None:
        """Note that a child is cleaned up. The last one of a retired zygote ends the zygote."""
        with self._lock:
            self._children.discard(child)
            over = self._retired and not self._children
        if over:
            self.close()

    def close(self) -> None:
        """End it: when the channel closes, it kills its children and leaves."""
        with self._lock:
            self._control.close()
        if self._process is None:
            return
        try:
            self._process.wait(_EXIT_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _read_hello(self) -> int:
        """Wait until it is warm, and return the version of Landlock that it found; 0 for none."""
        self._control.settimeout(_START_SECONDS_MAX)
        try:
            message = self._control.recv(protocol.HELLO_BYTES)
            hello: dict[str, Any] = json.loads(message) if message else {"ready": False, "reason": "it ended at once"}
            if not hello["ready"]:
                raise SandboxFault(f"no sandbox can run here: {hello['reason']}")
            self._control.settimeout(_READY_SECONDS_MAX)
            return int(hello["landlock"])
        except BaseException as error:
            if self._process is not None:
                self._process.kill()
            self.close()
            if isinstance(error, (OSError, ValueError, KeyError, TypeError)):
                raise SandboxFault(f"the zygote did not start ({error})") from None
            raise


@dataclass(frozen=True, slots=True)
class _NewChild:
    """A child that is not requested yet, and the descriptors that go to the zygote."""

    handle: ChildHandle
    descriptors: list[int]


class ChildHandle:
    """One child, from the request for it to its cleanup."""

    def __init__(
        self, zygote: ZygoteHandle, channel: socket.socket, lifeline: socket.socket, buffer: mmap.mmap
    ) -> None:
        self.buffer = buffer
        self.layers = Layer(0)
        self._zygote = zygote
        self._channel = channel
        self._lifeline = lifeline
        self._listener: int | None = None  # descriptor of the exit notification
        self._reaped = False
        channel.settimeout(_READY_SECONDS_MAX)
        lifeline.settimeout(_EXIT_SECONDS_MAX)

    def wait_until_ready(self) -> bool:
        """Wait until the child is locked in and warm. Return False if it died, also while it waited for a job.

        :raises ZygoteDied: if the zygote is gone, or the child is not ready in time
        :raises SandboxExhausted: if the child could not be forked, or this process has no descriptors left
        """
        try:
            message, listeners, _, _ = socket.recv_fds(self._channel, protocol.READY.size, 1)
        except TimeoutError:
            raise ZygoteDied("a child was not ready in time") from None
        except OSError:
            message, listeners = b"", []
        if listeners:
            self._listener = listeners[0]
            os.set_inheritable(self._listener, False)  # recv_fds of Python 3.11 ignores MSG_CMSG_CLOEXEC
        if len(message) == protocol.READY.size:
            self.layers = Layer(protocol.READY.unpack(message)[0])
            if Layer.EXIT_NOTIFICATION in self.layers and self._listener is None:
                # The kernel drops a descriptor for which there is no room. The child would hang at its exit.
                raise SandboxExhausted("this process has no descriptors left; raise its limit: ulimit -n")
            if not _is_readable(self._lifeline):
                return True
        self._read_exit()
        return False

    def send_job(self, job: Job) -> None:
        """Send the job, and close the channel: nothing else goes to the child.

        :raises SandboxFault: if the child is gone
        """
        try:
            protocol.send_job(self._channel, job)
            self._channel.close()
        except OSError as error:
            raise SandboxFault(f"the child was gone before its job came ({error})") from None

    def wait_for_exit(self, seconds: float) -> ChildExit:
        """Wait until the child can run no more: it is dead, or held at its exit. After ``seconds`` it is killed.

        :raises ZygoteDied: if the zygote is gone, so nobody reports the exit
        """
        poll = select.poll()
        poll.register(self._lifeline, select.POLLIN)
        if self._listener is not None:
            poll.register(self._listener, select.POLLIN)
        deadline = time.monotonic() + seconds
        is_measured = False
        while (remaining := deadline - time.monotonic()) > 0:
            events = poll.poll((remaining if is_measured else min(remaining, _UNMEASURED_SECONDS)) * 1000 + 1)
            if not events and not is_measured:
                is_measured = True
                with contextlib.suppress(OSError):
                    self._lifeline.send(protocol.RUN)
            for descriptor, event in events:
                if descriptor == self._lifeline.fileno():
                    return self._read_exit()
                if event & select.POLLIN:
                    with contextlib.suppress(OSError):
                        return ChildExit(read_exit_code(descriptor), None)
                poll.unregister(descriptor)  # no process is under that filter now: the lifeline will say why
        self.kill()
        killed = self._read_exit()
        return killed if killed.over_memory else replace(killed, timed_out=True)

    def clean_up(self) -> None:
        """Kill the child if it lives, wait until it is reaped, and close everything that belongs to it.

        Everything is closed, whatever fails on the way.
        """
        with contextlib.ExitStack() as closing:  # from the last to the first
            closing.callback(self._zygote.remove, self)
            if self._listener is not None:
                closing.callback(os.close, self._listener)
                self._listener = None
            for part in (self.buffer, self._lifeline, self._channel):
                closing.callback(part.close)
            if not self._reaped:
                self.kill()
                with contextlib.suppress(SandboxFault):
                    self._read_exit()

    def kill(self) -> None:
        """Tell the zygote to kill the child. Does not wait."""
        with contextlib.suppress(OSError):
            self._lifeline.shutdown(socket.SHUT_WR)

    def _receive_exit(self) -> bytes:
        try:
            return self._lifeline.recv(protocol.EXIT.size)
        except ConnectionResetError:
            # The zygote closed its end before it read RUN. The kernel reports that first, and then what was sent.
            return self._lifeline.recv(protocol.EXIT.size)

    def _read_exit(self) -> ChildExit:
        try:
            message = self._receive_exit()
        except OSError:
            message = b""
        self._reaped = True
        if len(message) != protocol.EXIT.size:
            raise ZygoteDied("the zygote died, and a run with it")
        status, microseconds, cause, memory = protocol.EXIT.unpack(message)
        if cause == ExitCause.NOT_FORKED:
            raise SandboxExhausted(f"no child can be forked ({os.strerror(status)}); look at the zygote's limits")
        return ChildExit(
            exit_code=None if os.WIFSIGNALED(status) else os.WEXITSTATUS(status),
            signal=os.WTERMSIG(status) if os.WIFSIGNALED(status) else None,
            cpu_seconds=microseconds / 1e6,
            over_memory=cause == ExitCause.OVER_MEMORY,
            memory_bytes=memory,
        )


def _is_readable(channel: socket.socket) -> bool:
    """Whether there is something to read now: a message, or the end of the channel."""
    poll = select.poll()
    poll.register(channel, select.POLLIN)
    return bool(poll.poll(0))
