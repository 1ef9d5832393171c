"""The life of a child: lock in, rehearse, wait for the one job, run it, leave the answers, exit.

From the first line of student code on, everything in this process belongs to the student: they can replace or read our
modules, the builtins and torch itself. Nothing here is a secret, and nothing here is believed. The rest only has to
serve honest code well, and to end.
"""

from __future__ import annotations

import gc
import mmap
import os
import socket
from typing import Final, NoReturn

from grader.sandbox.child.attempt import Attempt
from grader.sandbox.child.result_writer import ResultWriter
from grader.sandbox.job import RunStatus
from grader.sandbox.limits import KernelLimits
from grader.sandbox.locks import jail, kernel, seccomp
from grader.sandbox.protocol import READY, Layer, ReceivedJob, receive_job

_leave: Final = os._exit  # kept here because student code may replace os._exit


def live(
    descriptors: tuple[int, int],
    locks: jail.LockPlan,
    limits: KernelLimits,
    zygote: int,
    rehearsal: ReceivedJob | None,
) -> NoReturn:
    """Live the whole life of this freshly forked process. Exit code 0 means that a job was run to its end.

    :param descriptors: the control channel, and the memfd of the result
    :param zygote: its process id
    :param rehearsal: None for a child that is needed at once: it would keep its job waiting
    """
    control, result = descriptors
    reported = False
    try:
        writer = ResultWriter(mmap.mmap(result, 0))
        os.dup2(control, seccomp.CONTROL, inheritable=False)
        channel = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM, 0, fileno=seccomp.CONTROL)
        layers, listener = jail.lock_in(locks, limits, zygote)
        if rehearsal is not None:
            rehearse(rehearsal, writer)
            gc.freeze()
        _report_ready(channel, layers, listener)
        reported = True
        task = receive_job(_read_exactly)
        channel.close()  # the last way out, apart from the result
        Attempt(task, writer).run()
        _leave(0)
    except BaseException:
        if not reported:  # exit_group waits for a reader of the exit notification, and there is none yet
            kernel.call(kernel.architecture().number("exit"), 1)
        _leave(1)


def rehearse(rehearsal: ReceivedJob, writer: ResultWriter) -> None:
    """Run one harmless gradient through everything that a job goes through.

    Writing to a page makes a copy for this process, and that is better done before the student waits. It also proves
    that the locks let work be done.

    :raises RuntimeError: if it does not run well
    """
    if Attempt(rehearsal, writer).run() is not RunStatus.OK:
        raise RuntimeError("an honest gradient does not run in this sandbox")
    writer.erase()


def _report_ready(channel: socket.socket, layers: Layer, listener: int | None) -> None:
    socket.send_fds(channel, [READY.pack(layers)], [] if listener is None else [listener])
    if listener is not None:
        os.close(listener)


def _read_exactly(length: int) -> bytes:
    parts = []
    while length:
        part = os.read(seccomp.CONTROL, length)
        if not part:  # the trusted side does not need this child any more
            _leave(0)
        parts.append(part)
        length -= len(part)
    return b"".join(parts)
