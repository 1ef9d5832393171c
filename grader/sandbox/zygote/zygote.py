"""The zygote: torch imported once, and a child forked from it for each run, ahead of time.

It runs no student code, and holds nothing that a child could steal: no expected gradient, no seed, no token, no
address. It imports the standard library, torch, numpy, safetensors and this package without its trusted side.
"""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]
import contextlib
import ctypes
import errno
import fcntl
import gc
import json
import os
import resource
import select
import signal
import socket
import struct
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple, NoReturn

from grader.sandbox.child import attempt, child, notebook
from grader.sandbox.locks import jail, kernel, landlock, seccomp
from grader.sandbox.protocol import EXIT, FORK, RUN, ExitCause, ReceivedJob, unpack_fork
from grader.sandbox.zygote import memory, pages
from grader.sandbox.zygote import rehearsal as rehearsals

_FORK_DESCRIPTORS: Final = 3
_DESCRIPTOR: Final = struct.Struct("=i")
_ANCILLARY_BYTES: Final = socket.CMSG_LEN(_FORK_DESCRIPTORS * _DESCRIPTOR.size)  # no room for a fourth
_KINDS_MAX: Final = 64  # of requests, whose preparation is kept
_PAUSE_MILLISECONDS: Final = memory.MEASURE_SECONDS * 1000
# Plain numbers. ``signal.signal`` alone turns its arguments into enumerations, and a child copies sixty pages for that.
_CHILD_DIED, _KILL, _DEFAULT = int(signal.SIGCHLD), int(signal.SIGKILL), int(signal.SIG_DFL)
_OTHER, _NOT_FORKED, _OVER_MEMORY = int(ExitCause.OTHER), int(ExitCause.NOT_FORKED), int(ExitCause.OVER_MEMORY)
_CLOSE_ON_EXEC: Final = int(socket.MSG_CMSG_CLOEXEC)
_READABLE: Final = select.POLLIN


class Unfit(Exception):
    """This machine or process cannot hold a sandbox. The text says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Zygote:
    """What the zygote prepares for its children."""

    locks: jail.LockPlan
    rehearsal: ReceivedJob


def prepare(without: frozenset[str] = frozenset()) -> Zygote:
    """Practise in this process, which is warm, arrange its memory, and check that its children can lock themselves in.

    :param without: layers that children leave off; tests only
    :raises Unfit: if they cannot
    """
    _limit_descriptors()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        filter = seccomp.build(kernel.architecture())
    except OSError as error:
        raise Unfit(str(error)) from None
    notebook.install()
    attempt.remember_modules()
    version = landlock.version()
    rules = _move_up(landlock.make_rules(version)) if version else None
    null = _move_up(os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC))
    prepared = Zygote(jail.LockPlan(filter, version, rules, null, without), rehearsals.make())
    code = pages.forget_used_code()
    rehearsals.practise(prepared.rehearsal)
    pages.gather_code_into_huge_pages(code)
    rehearsals.seed_generators()
    for number in (signal.SIGINT, signal.SIGPIPE, signal.SIGXFSZ):  # once here, so that no child has to
        signal.signal(number, signal.SIG_DFL)
    threads = sum(1 for _ in Path("/proc/self/task").iterdir())
    if threads != 1:
        raise Unfit(f"the zygote has {threads} threads, and a fork copies only one; start it with one thread")
    gc.collect()
    pages.fill_holes()
    gc.freeze()  # else a collection in a child writes to every object, and copies every page
    pages.gather_into_huge_pages()
    return prepared


def _limit_descriptors() -> None:
    """Allow this process only as many descriptors as a child looks at.

    :raises Unfit: if one above is open: the limit closes nothing
    """
    resource.setrlimit(resource.RLIMIT_NOFILE, (jail.DESCRIPTORS_MAX, jail.DESCRIPTORS_MAX))
    highest = max(int(entry.name) for entry in Path("/proc/self/fd").iterdir())
    if highest >= jail.DESCRIPTORS_MAX:
        raise Unfit(
            f"descriptor {highest} was open at the start; start the zygote with none above {jail.DESCRIPTORS_MAX}"
        )


def _move_up(descriptor: int) -> int:
    """Move a descriptor to a number that no child uses for something else."""
    try:
        return fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, seccomp.CONTROL + 1)
    finally:
        os.close(descriptor)


def serve(zygote: Zygote, control: socket.socket) -> None:
    """Fork children on request, until the trusted side closes the channel. Then kill them all."""
    session = _Session(zygote, control)
    try:
        while session.handle_events():
            pass
    finally:
        session.kill_all()


class _Kind(NamedTuple):
    """What is prepared for all children of one kind of request."""

    locks: jail.Locks
    memory_bytes: int  # that one may hold
    rehearsal: ReceivedJob | None


class _Session:
    """The children of one Sandbox.

    After a fork this process, too, copies each page that it writes to. So its loop touches few objects: descriptors are
    numbers, and so are the members of enumerations.
    """

    def __init__(self, zygote: Zygote, control: socket.socket) -> None:
        self._zygote = zygote
        self._control = control
        self._control_descriptor = control.fileno()
        self._lifelines: dict[int, int] = {}  # descriptor by process id
        self._alive: dict[int, int] = {}  # process id by descriptor of its lifeline, until it is told to die
        self._limits: dict[int, int] = {}  # bytes of memory that a child may hold, by process id
        self._running: dict[int, int] = {}  # the most bytes that a child was seen to hold, by process id
        self._over: set[int] = set()  # those that held too much, and were killed
        self._kinds: dict[bytes, _Kind] = {}  # by request
        self._report = child.Report()
        self._exit = _ExitReport()
        self._measure_at = 0.0
        self._held_before = memory.held_bytes("self")
        # The Python runtime writes a byte to the one end when a child has died. The other end wakes the poll.
        self._wakeup, self._wakeup_writer = socket.socketpair()
        self._wakeup_descriptor = self._wakeup.fileno()
        self._wakeup.setblocking(False)
        self._wakeup_writer.setblocking(False)
        signal.signal(signal.SIGCHLD, lambda *_: None)  # without a handler nothing is written
        signal.set_wakeup_fd(self._wakeup_writer.fileno(), warn_on_full_buffer=False)
        self._poll = select.poll()
        self._poll.register(control, _READABLE)
        self._poll.register(self._wakeup, _READABLE)

    def handle_events(self) -> bool:
        """Wait for events, and handle them. Return False at the end of the channel.

        The order matters, because reaping closes descriptors and forking opens them: an event must not be taken for
        one of the next owner of its number.
        """
        is_requested = has_died = False
        for descriptor, _ in self._poll.poll(_PAUSE_MILLISECONDS if self._running else None):
            if descriptor == self._control_descriptor:
                is_requested = True
            elif descriptor == self._wakeup_descriptor:
                has_died = True
            elif self._is_told_to_run(descriptor):
                self._running[self._alive[descriptor]] = 0
            else:  # the trusted side closed the lifeline, or shut it down
                self._kill(descriptor)
        if has_died:
            with contextlib.suppress(BlockingIOError):
                os.read(self._wakeup_descriptor, 4096)
            self._reap()
        if self._running and time.monotonic() >= self._measure_at:
            self._measure()
        return not is_requested or self._fork()

    def _is_told_to_run(self, descriptor: int) -> bool:
        try:
            return os.read(descriptor, len(RUN)) == RUN
        except OSError:
            return False

    def _kill(self, descriptor: int) -> None:
        self._poll.unregister(descriptor)
        os.kill(self._alive.pop(descriptor), _KILL)

    def _measure(self) -> None:
        """Kill the children that hold more than they may."""
        for process, most in self._running.items():
            held = memory.held_bytes(process) - self._held_before
            self._running[process] = max(most, held)
            descriptor = self._lifelines[process]
            if held > self._limits[process] and descriptor in self._alive:
                self._over.add(process)
                self._kill(descriptor)
        self._measure_at = time.monotonic() + memory.MEASURE_SECONDS

    def kill_all(self) -> None:
        """Kill all children."""
        signal.set_wakeup_fd(-1)
        for process in self._lifelines:
            os.kill(process, signal.SIGKILL)

    def _reap(self) -> None:
        """Reap all dead children, and report how each ended."""
        while True:
            try:
                process, status, usage = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if process == 0:
                return
            lifeline = self._lifelines.pop(process)
            del self._limits[process]
            if self._alive.pop(lifeline, None) is not None:
                self._poll.unregister(lifeline)
            microseconds = int((usage.ru_utime + usage.ru_stime) * 1e6)
            cause = _OVER_MEMORY if process in self._over else _OTHER
            self._over.discard(process)
            self._exit.send(lifeline, status, microseconds, cause, self._running.pop(process, 0))

    def _fork(self) -> bool:
        """Fork one child as requested. Return False at the end of the channel."""
        request = _receive(self._control)
        if request is None:
            return False
        message, descriptors = request
        if not descriptors:
            return True  # the trusted side sees the end of the lifeline
        channel, result, lifeline = descriptors
        # Before the fork: a page that the child writes to has to be copied first.
        report = self._report
        try:
            locks, memory_bytes, rehearsal = self._kinds.get(message) or self._prepare(message)
            process = kernel.fork()
        except OSError as error:  # no room for another process or descriptor: the next request may find some
            process = -(error.errno or errno.EAGAIN)
        if process == 0:
            _reset_signals()
            child.live((channel, result), locks, report, rehearsal)
        os.close(channel)
        os.close(result)
        if process < 0:
            self._exit.send(lifeline, -process, 0, _NOT_FORKED, 0)
            return True
        self._lifelines[process] = lifeline
        self._alive[lifeline] = process
        self._limits[process] = memory_bytes
        self._poll.register(lifeline, _READABLE)
        return True

    def _prepare(self, message: bytes) -> _Kind:
        """Prepare the children of one kind. Most requests are the same."""
        limits, rehearse = unpack_fork(message)
        if len(self._kinds) >= _KINDS_MAX:
            self._kinds.clear()
        self._kinds[message] = kind = _Kind(
            jail.prepare(self._zygote.locks, limits),
            limits.data_bytes + memory.ALLOWANCE_BYTES,
            self._zygote.rehearsal if rehearse else None,
        )
        return kind


class _ExitReport:
    """The EXIT message, prepared for one ``sendto``."""

    def __init__(self) -> None:
        self._buffer = ctypes.create_string_buffer(EXIT.size)
        # The trusted side may have closed its end, and waits for nothing then.
        flags = int(socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL)
        self._number = kernel.architecture().number("sendto")
        self._rest = (ctypes.byref(self._buffer), EXIT.size, flags, None, 0)

    def send(self, lifeline: int, status: int, microseconds: int, cause: int, held: int) -> None:
        """Tell the trusted side how a child ended; nothing comes after it."""
        EXIT.pack_into(self._buffer, 0, status, microseconds, cause, max(0, held))
        kernel.attempt((self._number, lifeline, *self._rest))
        os.close(lifeline)


def _receive(control: socket.socket) -> tuple[bytes, list[int]] | None:
    """Receive one request with its descriptors, or with none if there was no room for all of them.

    None if the channel is closed or the message is malformed.
    """
    try:
        message, ancillary, _, _ = control.recvmsg(FORK.size + 1, _ANCILLARY_BYTES, _CLOSE_ON_EXEC)
    except OSError:
        return None
    descriptors = [number for _, _, content in ancillary for (number,) in _DESCRIPTOR.iter_unpack(content)]
    is_request = len(message) == FORK.size
    if not is_request or len(descriptors) != _FORK_DESCRIPTORS:
        for descriptor in descriptors:
            os.close(descriptor)
        descriptors = []
    return (message, descriptors) if is_request else None


def _reset_signals() -> None:
    """Remove the zygote's only signal handler: in a child, signals do what the kernel does by default."""
    _signal.set_wakeup_fd(-1)
    _signal.signal(_CHILD_DIED, _DEFAULT)


def listen(zygote: Zygote, path: Path) -> NoReturn:
    """Serve every Sandbox that connects to ``path``, each from a fork of this process: they share nothing."""
    path.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        listener.bind(os.fspath(path))
        path.chmod(0o660)
        listener.listen()
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel reaps
        parent = os.getpid()
        while True:
            control, _ = listener.accept()
            try:
                process = os.fork()
            except OSError:  # no room now; whoever connected sees the end of the channel, and comes again
                control.close()
                continue
            if process == 0:
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                kernel.make(jail.death_with_parent(parent))
                listener.close()
                greet_and_serve(zygote, control)
                os._exit(0)
            control.close()


def greet_and_serve(zygote: Zygote, control: socket.socket) -> None:
    """Say HELLO, and serve one Sandbox until it closes the channel."""
    control.send(json.dumps({"ready": True, "landlock": zygote.locks.landlock}).encode())
    serve(zygote, control)


def refuse(control: socket.socket, reason: str) -> None:
    """Say HELLO without being ready."""
    control.send(json.dumps({"ready": False, "reason": reason}).encode())
