"""The life of a child: lock in, rehearse, wait for the one job, run it, leave the answers, exit.

From the first line of student code on, everything in this process belongs to the student: they can replace or read our
modules, the builtins and torch itself. Nothing here is a secret, and nothing here is believed. The rest only has to
serve honest code well, and to end.
"""

from __future__ import annotations

import ctypes
import gc
import mmap
import os
import socket
from collections.abc import Iterable
from dataclasses import replace
from typing import Final, NoReturn

import torch
from safetensors.torch import _TYPES as DTYPES

from grader.sandbox.child.attempt import Attempt
from grader.sandbox.child.result_writer import ResultWriter
from grader.sandbox.job import RunStatus
from grader.sandbox.locks import jail, kernel, seccomp
from grader.sandbox.protocol import READY, ReceivedJob, StoredTensor, receive_job

_CMSG_BYTES: Final = 20  # without the padding
_DESCRIPTOR_AT: Final = 4
_ANCILLARY_BYTES_AT: Final = 5

_read = ctypes.PyDLL(None).read
_read.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_size_t]
_read.restype = ctypes.c_ssize_t
_leave: Final = os._exit  # kept here because student code may replace os._exit


def live(descriptors: tuple[int, int], locks: jail.Locks, report: Report, rehearsal: ReceivedJob | None) -> NoReturn:
    """Live the whole life of this freshly forked process. Exit code 0 means that a job was run to its end.

    :param descriptors: the control channel, and the memfd of the result
    :param rehearsal: None for a child that is needed at once: it would keep its job waiting
    """
    control, result = descriptors
    reported = False
    try:
        writer = ResultWriter(mmap.mmap(result, 0))
        os.dup2(control, seccomp.CONTROL, inheritable=False)
        layers, listener = jail.lock_in(locks)
        if rehearsal is not None:
            rehearse(rehearsal, writer)
            gc.freeze()
        report.ready(layers, listener)
        reported = True
        task = receive_job(_read_exactly, _load_state)
        os.close(seccomp.CONTROL)  # the last way out, apart from the result
        Attempt(task, writer).run()
        _leave(0)
    except BaseException:
        if not reported:
            report.fail()
        _leave(1)


def rehearse(rehearsal: ReceivedJob, writer: ResultWriter) -> None:
    """Run one harmless gradient through everything that a job goes through.

    Writing to a page makes a copy for this process, and that is better done before the student waits. It also proves
    that the locks let work be done.

    :raises RuntimeError: if it does not run well
    """
    state = {name: tensor.clone() for name, tensor in rehearsal.state.items()}
    if Attempt(replace(rehearsal, state=state), writer).run() is not RunStatus.OK:
        raise RuntimeError("an honest gradient does not run in this sandbox")
    writer.erase()


class Report:
    """What a child says before it has a job: READY with the descriptor of the exit notification, or its end.

    Both calls are prepared in the zygote.
    """

    def __init__(self) -> None:
        numbers = kernel.architecture()
        self._layers = (ctypes.c_uint32 * 1)()
        # struct cmsghdr { size_t len; int level; int type; } and one descriptor
        self._ancillary = (ctypes.c_int * 6)(_CMSG_BYTES, 0, socket.SOL_SOCKET, socket.SCM_RIGHTS, -1, 0)
        self._vector = (ctypes.c_uint64 * 2)(ctypes.addressof(self._layers), READY.size)
        parts = [ctypes.addressof(self._vector), 1, ctypes.addressof(self._ancillary), ctypes.sizeof(self._ancillary)]
        # struct msghdr { name, its length; vector, its length; ancillary data, their length; flags }
        self._message = (ctypes.c_uint64 * 7)(0, 0, *parts, 0)
        arguments = (numbers.number("sendmsg"), seccomp.CONTROL, ctypes.byref(self._message), 0)
        self._sending = (kernel.Call(arguments, None),)
        self._exiting = (numbers.number("exit"), 1)

    def ready(self, layers: int, listener: int | None) -> None:
        """Report the locks that hold, and keep no descriptor.

        :raises OSError: if the trusted side does not listen any more
        """
        self._layers[0] = layers
        if listener is None:
            self._message[_ANCILLARY_BYTES_AT] = 0
        else:
            self._ancillary[_DESCRIPTOR_AT] = listener
        kernel.make(self._sending)
        if listener is not None:
            os.close(listener)

    def fail(self) -> None:
        """End this process. ``exit_group`` would wait for a reader of the exit notification, and there is none yet."""
        kernel.attempt(self._exiting)


def _read_exactly(length: int) -> bytes:
    parts = []
    while length:
        part = os.read(seccomp.CONTROL, length)
        if not part:  # the trusted side does not need this child any more
            _leave(0)
        parts.append(part)
        length -= len(part)
    return b"".join(parts)


def _load_state(tensors: Iterable[StoredTensor]) -> dict[str, torch.Tensor]:
    """Read tensors from the control channel, each into memory of its own, which torch can resize."""
    state = {}
    for name, dtype, shape, length in tensors:
        state[name] = tensor = torch.empty(shape, dtype=DTYPES[dtype])
        address = tensor.data_ptr()
        while length:
            count = _read(seccomp.CONTROL, address, length)
            if count <= 0:
                _leave(0)
            address += count
            length -= count
    return state
