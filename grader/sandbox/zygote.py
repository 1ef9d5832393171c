"""The zygote: torch imported once, and a child forked from it for each run, ahead of time.

    … --stdin                                       for one Sandbox, over the socket it made (see start.py)
    python -m grader.sandbox.zygote --listen PATH   for many, from a container without a network

It runs no student's code, and holds nothing that a child could steal: no expected gradient, no seed, no
token, no address. It imports the standard library, torch, numpy, safetensors and this package.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import gc
import json
import os
import resource
import select
import signal
import socket
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NoReturn

from grader.sandbox import child, jail, kernel, landlock, notebook, seccomp, start, warmth
from grader.sandbox.protocol import DEATH, FORK, unpack_fork
from grader.sandbox.rehearsal import Rehearsal, rehearsal

_DESCRIPTORS_OF_A_FORK: Final = 3


class Unfit(Exception):
    """This machine or process cannot hold a sandbox; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Zygote:
    """What the fork hands on."""

    walls: jail.Walls
    rehearsal: Rehearsal


def prepare(without: frozenset[str] = frozenset()) -> Zygote:
    """Import, warm and freeze, and make sure that children of this process can be trusted to be locked in.

    :raises Unfit: they cannot
    """
    resource.setrlimit(resource.RLIMIT_NOFILE, (jail.MOST_DESCRIPTORS, jail.MOST_DESCRIPTORS))
    highest = max(int(each.name) for each in Path("/proc/self/fd").iterdir())
    if highest >= jail.MOST_DESCRIPTORS:  # the limit closes nothing, and no child would look there
        raise Unfit(
            f"descriptor {highest} was open at the start; start the zygote with none above {jail.MOST_DESCRIPTORS}"
        )
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    kernel.keep_freed_memory()
    try:
        filter = seccomp.build(kernel.architecture())
    except OSError as error:
        raise Unfit(str(error)) from None
    warmth.warm_up()
    notebook.install()
    child.remember()
    prepared = Zygote(jail.Walls(filter, landlock.version(), _null_device(), without), rehearsal())
    child.practise(prepared.rehearsal)
    child.seed()
    for number in (signal.SIGINT, signal.SIGPIPE, signal.SIGXFSZ):  # for the children, who then need not do it
        signal.signal(number, signal.SIG_DFL)
    threads = sum(1 for _ in Path("/proc/self/task").iterdir())
    if threads != 1:
        raise Unfit(f"the zygote has {threads} threads and a fork takes only one along; start it with one thread")
    gc.collect()
    gc.freeze()  # so that a collection in a child does not write to every object, and copy every page
    kernel.gather_into_huge_pages()
    return prepared


def _null_device() -> int:
    """A descriptor of it that no child puts anything else at."""
    null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
    try:
        return fcntl.fcntl(null, fcntl.F_DUPFD_CLOEXEC, seccomp.CONTROL + 1)
    finally:
        os.close(null)


def serve(zygote: Zygote, control: socket.socket) -> None:
    """Fork children on request until the trusted side closes the channel, which ends them all."""
    session = _Session(zygote, control)
    try:
        while session.turn():
            pass
    finally:
        session.kill_all()


class _Session:
    """The children of one Sandbox."""

    def __init__(self, zygote: Zygote, control: socket.socket) -> None:
        self._zygote = zygote
        self._control = control
        self._lifelines: dict[int, socket.socket] = {}  # of each child, by process id
        self._alive: dict[int, int] = {}  # process id, by the descriptor of its lifeline, until it is told to die
        self._bell, bell = socket.socketpair()
        self._bell.setblocking(False)
        bell.setblocking(False)
        self._bell_end = bell  # held open
        signal.signal(signal.SIGCHLD, lambda *_: None)  # without a handler there is no wake-up
        signal.set_wakeup_fd(bell.fileno(), warn_on_full_buffer=False)
        self._poll = select.poll()
        self._poll.register(control, select.POLLIN)
        self._poll.register(self._bell, select.POLLIN)

    def turn(self) -> bool:
        """Wait for something, and do it. False at the end of the channel.

        In this order, because burying closes descriptors and forking opens them: an event must not be taken
        for one of the next owner of its number.
        """
        events = {descriptor for descriptor, _ in self._poll.poll()}
        for descriptor in events & self._alive.keys():  # the trusted side let go of it, or shut it down
            self._poll.unregister(descriptor)
            os.kill(self._alive.pop(descriptor), signal.SIGKILL)
        if self._bell.fileno() in events:
            with contextlib.suppress(BlockingIOError):
                self._bell.recv(4096)
            self._bury_the_dead()
        return self._control.fileno() not in events or self._fork()

    def kill_all(self) -> None:
        """The end of all children."""
        signal.set_wakeup_fd(-1)
        for process in self._lifelines:
            os.kill(process, signal.SIGKILL)

    def _bury_the_dead(self) -> None:
        while True:
            try:
                process, status, usage = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if process == 0:
                return
            lifeline = self._lifelines.pop(process)
            if self._alive.pop(lifeline.fileno(), None) is not None:
                self._poll.unregister(lifeline)
            microseconds = int((usage.ru_utime + usage.ru_stime) * 1e6)
            with contextlib.suppress(OSError):  # nobody may want to know any more
                lifeline.send(DEATH.pack(status, microseconds), socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL)
            lifeline.close()

    def _fork(self) -> bool:
        request = _receive(self._control)
        if request is None:
            return False
        message, (channel, result, lifeline) = request
        limits, result_bytes, rehearse = unpack_fork(message)
        walls, rehearsal, us = self._zygote.walls, self._zygote.rehearsal if rehearse else None, os.getpid()
        process = kernel.fork()
        if process == 0:
            _forget_signals()
            child.live(channel, result, result_bytes, walls, limits, us, rehearsal)
        os.close(channel)
        os.close(result)
        self._lifelines[process] = socket.socket(fileno=lifeline)
        self._alive[lifeline] = process
        self._poll.register(lifeline, select.POLLIN)
        return True


def _receive(control: socket.socket) -> tuple[bytes, list[int]] | None:
    """One request with its descriptors, or None at the end of the channel or of good manners."""
    try:
        message, descriptors, _, _ = socket.recv_fds(
            control, FORK.size + 1, _DESCRIPTORS_OF_A_FORK, socket.MSG_CMSG_CLOEXEC
        )
    except OSError:
        return None
    if len(message) != FORK.size or len(descriptors) != _DESCRIPTORS_OF_A_FORK:
        for descriptor in descriptors:
            os.close(descriptor)
        return None
    return message, descriptors


def _forget_signals() -> None:
    """A child has no handlers: a signal does what the kernel does by default, and that ends it. This is the only one
    that the zygote has.
    """
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)


def listen(zygote: Zygote, path: Path) -> NoReturn:
    """Serve every Sandbox that connects to `path`, each from a fork of this process: they share nothing."""
    path.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as door:
        door.bind(os.fspath(path))
        path.chmod(0o660)
        door.listen()
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel reaps
        base = os.getpid()
        while True:
            control, _ = door.accept()
            if os.fork() == 0:
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                jail.die_with(base)
                door.close()
                greet_and_serve(zygote, control)
                os._exit(0)
            control.close()


def greet_and_serve(zygote: Zygote, control: socket.socket) -> None:
    """One Sandbox's session."""
    control.send(json.dumps({"ready": True, "landlock": zygote.walls.landlock}).encode())
    serve(zygote, control)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m grader.sandbox.zygote", description=__doc__)
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--stdin", action="store_true", help="serve one Sandbox over the socket that standard input is")
    where.add_argument("--listen", type=Path, metavar="PATH", help="serve all that connect to this unix socket")
    parser.add_argument("--without", default="", help=argparse.SUPPRESS)  # tests of the doctor leave a layer off
    options = parser.parse_args()
    without = frozenset(filter(None, options.without.split(",")))
    if sys.argv[0] != "-c":  # started from a shell: start again, and leave its environment behind
        os.execve(sys.executable, start.command(*sys.argv[1:]), start.ENVIRONMENT)
    control = socket.socket(fileno=0) if options.stdin else None
    try:
        zygote = prepare(without)
    except Unfit as reason:
        if control is not None:
            control.send(json.dumps({"ready": False, "reason": str(reason)}).encode())
        sys.exit(f"zygote: {reason}")
    if control is not None:
        greet_and_serve(zygote, control)
    else:
        listen(zygote, options.listen)


if __name__ == "__main__":
    main()
