"""The trusted side's hold on a zygote and on its children: sockets, mappings, process ids, and how they
end."""

from __future__ import annotations

import contextlib
import fcntl
import json
import mmap
import os
import select
import socket
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

from grader.sandbox import protocol, result, seccomp, start
from grader.sandbox.jail import Layer
from grader.sandbox.job import Job, SandboxFault
from grader.sandbox.limits import Limits

_PATIENCE_TO_START: Final = 90.0  # seconds: torch from a cold disk
_PATIENCE_TO_WARM: Final = 15.0  # a child, on a machine that is busy
_PATIENCE_TO_DIE: Final = 5.0  # from SIGKILL to the news of it


class ZygoteDied(SandboxFault):
    """Its end of a channel is closed, or it does not answer."""


@dataclass(frozen=True, slots=True)
class End:
    """How a child ended, by the kernel's word. `signal` is None where it left by itself, with `exit_code`."""

    exit_code: int | None
    signal: int | None
    cpu_seconds: float = 0.0  # known where it died of a signal
    out_of_time: bool = False  # we had it killed


class Zygote:
    """A zygote that is ready to fork."""

    def __init__(self, control: socket.socket, process: subprocess.Popen[bytes] | None) -> None:
        self.born = time.monotonic()
        self.forks = 0
        self._control = control
        self._process = process
        self._children: set[Child] = set()
        self._retired = False
        self._lock = threading.Lock()
        self.landlock = self._greeting()

    @classmethod
    def started(cls, *options: str) -> Self:
        """A child process of ours: another program, with a clean environment and one socket.

        :raises SandboxFault: it finds no ground for a sandbox
        """
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            try:
                process = subprocess.Popen(
                    start.command("--stdin", *options),
                    # low, whatever the number here: a child closes what it could have inherited by number
                    stdin=theirs.fileno(),
                    stdout=subprocess.DEVNULL,
                    env=start.ENVIRONMENT,
                    cwd="/",
                    start_new_session=True,  # a Ctrl-C at the server's terminal is the server's to handle
                )
            except OSError as error:
                ours.close()
                raise SandboxFault(f"the zygote cannot be started ({error})") from None
        return cls(ours, process)

    @classmethod
    def connected(cls, path: Path) -> Self:
        """One that listens on a unix socket, in a container for one.

        :raises SandboxFault: nobody does
        """
        control = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            control.connect(os.fspath(path))
        except OSError as error:
            control.close()
            raise SandboxFault(f"no zygote listens on {path} ({error.strerror}); start it") from None
        return cls(control, None)

    @property
    def pid(self) -> int | None:
        """Process id of a zygote that we started."""
        return self._process.pid if self._process else None

    def fork(self, limits: Limits, *, rehearse: bool = True) -> Child:
        """Ask for a child. It comes back at once; `Child.ready` waits for it. One that does not rehearse is ready in a
        third of the time, and its run takes longer.

        :raises ZygoteDied: there is nobody to ask
        """
        size = result.size(limits)
        channel, their_channel = socket.socketpair()
        lifeline, their_lifeline = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        memory = os.memfd_create("result", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        try:
            os.ftruncate(memory, size)
            fcntl.fcntl(memory, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL)
            child = Child(self, channel, lifeline, mmap.mmap(memory, size, prot=mmap.PROT_READ))
            with self._lock:
                self._children.add(child)
                self.forks += 1
                try:
                    socket.send_fds(
                        self._control,
                        [protocol.pack_fork(protocol.kernel_limits(limits), size, rehearse)],
                        [their_channel.fileno(), memory, their_lifeline.fileno()],
                        socket.MSG_NOSIGNAL,
                    )
                except OSError as error:
                    raise ZygoteDied(f"the zygote is gone ({error.strerror})") from None
            return child
        finally:
            os.close(memory)
            their_channel.close()
            their_lifeline.close()

    def alive(self) -> bool:
        """Whether it still holds its end of the control channel, on which it says nothing after its
        greeting."""
        return not _has_news(self._control)

    def retire(self) -> None:
        """No more forks; end when the last child is buried."""
        with self._lock:
            self._retired = True
            idle = not self._children
        if idle:
            self.close()

    def forget(self, child: Child) -> None:
        """A child is buried."""
        with self._lock:
            self._children.discard(child)
            over = self._retired and not self._children
        if over:
            self.close()

    def close(self) -> None:
        """End it: closing the channel tells it to kill what it still has, and to leave."""
        with self._lock:
            self._control.close()
        if self._process is None:
            return
        try:
            self._process.wait(_PATIENCE_TO_DIE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _greeting(self) -> int:
        """Wait until it is warm; the version of Landlock that it found."""
        self._control.settimeout(_PATIENCE_TO_START)
        try:
            hello = self._control.recv(protocol.HELLO_BYTES)
            said: dict[str, Any] = json.loads(hello) if hello else {"ready": False, "reason": "it ended at once"}
            if not said["ready"]:
                raise SandboxFault(f"no sandbox can be had here: {said['reason']}")
            self._control.settimeout(_PATIENCE_TO_WARM)
            return int(said["landlock"])
        except BaseException as error:
            if self._process is not None:
                self._process.kill()
            self.close()
            if isinstance(error, (OSError, ValueError, KeyError, TypeError)):
                raise SandboxFault(f"the zygote did not start ({error})") from None
            raise


class Child:
    """One child, from the request for it to its burial."""

    def __init__(self, zygote: Zygote, channel: socket.socket, lifeline: socket.socket, buffer: mmap.mmap) -> None:
        self.buffer = buffer
        self.layers = Layer(0)
        self._zygote = zygote
        self._channel = channel
        self._lifeline = lifeline
        self._listener: int | None = None
        self._dead = False
        channel.settimeout(_PATIENCE_TO_WARM)
        lifeline.settimeout(_PATIENCE_TO_DIE)

    def ready(self) -> bool:
        """Wait until it is locked in and warm, and see that it is still there. False where it died.

        :raises ZygoteDied: it will never be
        """
        try:
            message, listeners, _, _ = socket.recv_fds(self._channel, protocol.READY.size, 1)
        except TimeoutError:
            raise ZygoteDied("a child was not ready in time") from None
        except OSError:
            message, listeners = b"", []
        if listeners:
            self._listener = listeners[0]
            os.set_inheritable(self._listener, False)  # recv_fds of Python 3.11 drops its flags
        if len(message) == protocol.READY.size:
            self.layers = Layer(protocol.READY.unpack(message)[0])
            if not _has_news(self._lifeline):
                return True
        self._read_death()
        return False

    def give(self, job: Job) -> None:
        """Hand the job over.

        :raises SandboxFault: nobody took it
        """
        try:
            protocol.send_job(self._channel, job)
            self._channel.close()
        except OSError as error:
            raise SandboxFault(f"the child was gone before its job came ({error})") from None

    def wait(self, seconds: float) -> End:
        """Wait until it can run no more: it is dead, or held at its last call. After `seconds` it is killed.

        :raises ZygoteDied: the zygote is gone, and the news of the child's end with it
        """
        poll = select.poll()
        poll.register(self._lifeline, select.POLLIN)
        if self._listener is not None:
            poll.register(self._listener, select.POLLIN)
        deadline = time.monotonic() + seconds
        while (remaining := deadline - time.monotonic()) > 0:
            for descriptor, event in poll.poll(remaining * 1000 + 1):
                if descriptor == self._lifeline.fileno():
                    return self._read_death()
                if event & select.POLLIN:
                    with contextlib.suppress(OSError):
                        return End(seccomp.exit_code_at_the_door(descriptor), None)
                poll.unregister(descriptor)  # no process is under that filter any more: the lifeline will say why
        self.kill()
        killed = self._read_death()
        return End(killed.exit_code, killed.signal, killed.cpu_seconds, out_of_time=True)

    def bury(self) -> None:
        """Kill it if it lives, wait until it is reaped, and let go of all that was its own."""
        try:
            if not self._dead:
                self.kill()
                with contextlib.suppress(SandboxFault):
                    self._read_death()
        finally:
            self._channel.close()
            self._lifeline.close()
            self.buffer.close()
            if self._listener is not None:
                os.close(self._listener)
                self._listener = None
            self._zygote.forget(self)

    def kill(self) -> None:
        """Tell the zygote to end it. Does not wait."""
        with contextlib.suppress(OSError):
            self._lifeline.shutdown(socket.SHUT_WR)

    def _read_death(self) -> End:
        try:
            message = self._lifeline.recv(protocol.DEATH.size)
        except OSError:
            message = b""
        self._dead = True
        if len(message) != protocol.DEATH.size:
            raise ZygoteDied("the zygote died, and a run with it")
        status, microseconds = protocol.DEATH.unpack(message)
        if os.WIFSIGNALED(status):
            return End(None, os.WTERMSIG(status), microseconds / 1e6)
        return End(os.WEXITSTATUS(status), None, microseconds / 1e6)


def _has_news(channel: socket.socket) -> bool:
    """Whether there is something to be read now, be it the end."""
    poll = select.poll()
    poll.register(channel, select.POLLIN)
    return bool(poll.poll(0))
