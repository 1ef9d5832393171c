"""The life of a child: lock in, rehearse, wait for the one job, run it, leave the answers, go.

From the moment the student's code begins, everything in this process is the student's: our modules, the
builtins, torch itself can be replaced or read. Nothing here is a secret and nothing here is believed. What
follows only has to serve honest code well and to end.
"""

from __future__ import annotations

import builtins
import contextlib
import gc
import io
import mmap
import os
import random
import socket
import sys
import types
import warnings
from collections.abc import Callable
from typing import Any, Final, NoReturn

import numpy
import safetensors.torch
import torch
import torch.nn.functional

from grader.answer import CHANGED_AFTER_CMP, Answer, normalise
from grader.sandbox import jail, kernel, seccomp
from grader.sandbox.excuse import explain, theirs
from grader.sandbox.job import RunStatus
from grader.sandbox.limits import Limits
from grader.sandbox.protocol import READY, Task, receive_job
from grader.sandbox.rehearsal import Rehearsal, with_their_cmp
from grader.sandbox.result import Layout, Writer, size
from grader.sandbox.source import OUR_CMP, Program, prepare

# Held here because a student's code may put something else in their place.
_leave: Final = os._exit
_equal: Final = torch.equal
_bits: Final = torch.Tensor.view
_stop_tracing: Final = sys.settrace
_stop_profiling: Final = sys.setprofile
_allow_depth: Final = sys.setrecursionlimit

_TIMES_PRACTISED: Final = 20


def live(
    control: int,
    result: int,
    result_bytes: int,
    walls: jail.Walls,
    limits: jail.KernelLimits,
    zygote: int,
    rehearsal: Rehearsal | None,
) -> NoReturn:
    """The whole life of this freshly forked process. Never returns; exit 0 is a job that was run to its end.

    ``rehearsal`` is None for a child that is wanted at once: it would keep its job waiting.
    """
    noticed = False
    try:
        writer = Writer(mmap.mmap(result, result_bytes))
        os.dup2(control, seccomp.CONTROL, inheritable=False)
        channel = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM, 0, fileno=seccomp.CONTROL)
        layers, listener = jail.lock_in(walls, limits, zygote)
        if rehearsal is not None:
            _play(rehearsal, writer)
            gc.freeze()
        _report_ready(channel, layers, listener)
        noticed = True
        task = receive_job(_take)
        channel.close()  # the last way out, apart from the result
        Attempt(task, writer).run()
        _leave(0)
    except BaseException:
        if not noticed:  # exit_group is held at the door, where nobody stands yet
            kernel.call(kernel.architecture().number("exit"), 1)
        _leave(1)


def _report_ready(channel: socket.socket, layers: jail.Layer, listener: int | None) -> None:
    socket.send_fds(channel, [READY.pack(layers)], [] if listener is None else [listener])
    if listener is not None:
        os.close(listener)


def _take(length: int) -> bytes:
    parts = []
    while length:
        part = os.read(seccomp.CONTROL, length)
        if not part:  # the trusted side has no use for this child any more
            _leave(0)
        parts.append(part)
        length -= len(part)
    return b"".join(parts)


def practise(rehearsal: Rehearsal) -> None:
    """Play the rehearsal in the zygote, until Python and torch have set up all that they set up by and by: a child
    would do it again, in pages that it has to copy first.
    """
    writer = Writer(mmap.mmap(-1, size(Limits()), flags=mmap.MAP_PRIVATE))  # private: children must share nothing
    for _ in range(_TIMES_PRACTISED):
        _play(rehearsal, writer)
        _play(with_their_cmp(rehearsal), writer)


def seed() -> None:
    """Runs are equal: the same code and state find the same random numbers. Done in the zygote; neither a fork nor the
    rehearsal draws one.
    """
    torch.default_generator.manual_seed(0)
    random.seed(0)
    numpy.random.seed(0)


def _play(rehearsal: Rehearsal, writer: Writer) -> None:
    """Run one harmless gradient through everything that a job goes through. Writing to a page makes it this process's
    own, and that is better done before the student waits. It also proves that the locks let work be done.
    """
    task = Task(rehearsal.source, "rehearsal.py", rehearsal.state, rehearsal.slots, Limits())
    if Attempt(task, writer).run() is not RunStatus.OK:
        raise RuntimeError("an honest gradient does not run in this sandbox")
    writer.erase()


_builtins: Final = builtins.__dict__
_modules: Final = sys.modules
_builtins_before: Final[dict[str, Any]] = {}
_modules_before: Final[dict[str, types.ModuleType]] = {}


def remember() -> None:
    """Note what `_repair` puts back. Done in the zygote: a child that counts one more reference to each of two
    thousand modules makes a thousand pages its own, a third of all that it has.
    """
    _builtins_before.update(_builtins)
    _modules_before.update(_modules)


def _repair() -> None:
    """Put back what honest work needs: a file that shadows `len` for everybody still gets its answers
    read.
    """
    _builtins.update(_builtins_before)
    if len(_modules) < len(_modules_before):
        _modules.update(_modules_before)
    for stop in (_stop_tracing, _stop_profiling):
        with contextlib.suppress(BaseException):  # an audit hook raises at these, and cannot be taken away
            stop(None)
    with contextlib.suppress(BaseException):
        _allow_depth(1000)


class Attempt:
    """One run of one file."""

    def __init__(self, task: Task, writer: Writer) -> None:
        self._task = task
        self._writer = writer
        self._program: Program | None = None
        self._names: dict[str, Any] = {}
        self._returned: dict[Any, Any] = {}
        self._recorder = Recorder(slot.name for slot in task.slots)
        self._status = RunStatus.CRASHED
        writer.begin(Layout.of(task.slots, task.limits))

    def run(self) -> RunStatus:
        """Run the file and leave the answers, whatever happens; the status is the one that was left."""
        before = sys.stdout, sys.stderr, sys.stdin, sys.unraisablehook, warnings.formatwarning, sys.modules["__main__"]
        sys.stdout = Screen(self._writer, self._overflow)
        # Warnings and logs go to the same place, in order. Too many of them are cut, without an end to the
        # run.
        sys.stderr = Screen(self._writer, lambda: None)
        sys.stdin = io.StringIO()
        warnings.formatwarning = self._format_warning
        sys.unraisablehook = self._show_unraisable
        self._conclude(*self._perform())
        sys.stdout, sys.stderr, sys.stdin, sys.unraisablehook, warnings.formatwarning, sys.modules["__main__"] = before
        return self._status

    def _perform(self) -> tuple[RunStatus, str]:
        filename = self._task.filename
        try:
            self._program = prepare(self._task.source, filename)
        except (MemoryError, RecursionError):
            return (
                RunStatus.ERROR,
                f"{filename} is nested too deeply to be compiled; write it in plainer steps.",
            )
        except SyntaxError as error:
            return explain(error, Program(_NO_CODE, self._task.source, ()), filename)
        except ValueError as error:  # null bytes, lone surrogates
            return RunStatus.ERROR, f"{filename} cannot be read as Python: {error}. Save it as UTF-8 text."
        try:
            self._names = self._namespace()
            exec(self._program.code, self._names)
            self._call_backward()
        except BaseException as error:
            _repair()
            if type(error) is SystemExit and error.code in (None, 0):
                return RunStatus.OK, ""
            return explain(error, self._program, filename)
        _repair()
        return RunStatus.OK, ""

    def _namespace(self) -> dict[str, Any]:
        """The student's globals: every tensor of the state under its name, and what the lecture has
        imported.
        """
        loaded = safetensors.torch.load(self._task.state)
        state = {name: tensor.clone() for name, tensor in loaded.items()}  # storage that torch can resize
        self._recorder.known = {id(tensor): name for name, tensor in state.items()}
        main = types.ModuleType("__main__")
        main.__dict__.update(
            {name: _constant_or_tensor(tensor) for name, tensor in state.items()},
            __builtins__=builtins,
            torch=torch,
            F=torch.nn.functional,
            cmp=self._recorder,
            **{OUR_CMP: self._recorder},
        )
        sys.modules["__main__"] = main
        self._state = state
        return main.__dict__

    def _call_backward(self) -> None:
        """Function style: `backward(state)` gets a dict of the state and returns a dict of gradients. Where the file
        has left answers itself, a function of that name is a helper of theirs.
        """
        if self._recorder.answers or any("d" + slot.name in self._names for slot in self._task.slots):
            return
        backward = self._names.get("backward")
        if type(backward) is not types.FunctionType or backward.__code__.co_argcount != 1:
            return
        state = {name: _constant_or_tensor(tensor) for name, tensor in self._state.items()}
        returned = backward(state)
        if not isinstance(returned, dict):
            raise TypeError(f"backward(state) returned {type(returned).__name__}; return a dict of name → gradient")
        self._returned = returned

    def _conclude(self, status: RunStatus, message: str) -> None:
        """Collect what there is, and say how it went."""
        flags = self._program.flags if self._program else ()
        for index, slot in enumerate(self._task.slots):
            with contextlib.suppress(BaseException):  # what cannot be read has not been handed in
                answer = self._answer(slot.name, slot.capacity)
                if answer is not None:
                    self._writer.answer(index, answer)
        self._writer.finish(status, message, flags)
        self._status = status

    def _answer(self, name: str, capacity: int) -> Answer | None:
        variable = f"d{name}"
        for key in (variable, name):
            if key in self._returned:
                return normalise(self._returned[key], capacity)
        recorded = self._recorder.answers.get(name)
        if recorded is None:
            return normalise(self._names[variable], capacity) if variable in self._names else None
        if variable in self._names and recorded.tensor is not None:
            final = normalise(self._names[variable], capacity).tensor
            if final is not None and not _same(recorded.tensor, final):
                return Answer(
                    recorded.tensor,
                    (*recorded.notes, CHANGED_AFTER_CMP),
                    None,
                    recorded.shape,
                    recorded.dtype,
                )
        return recorded

    def _overflow(self) -> NoReturn:
        """Standard output is full. The run ends here and now: an exception could be swallowed."""
        _repair()
        limit = self._task.limits.stdout_bytes // 1024
        self._conclude(
            RunStatus.OUTPUT_LIMIT, f"More than {limit} KiB was printed, and the run was stopped; print less."
        )
        _leave(0)

    def _format_warning(
        self,
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        line: str | None = None,
    ) -> str:
        """A warning with the student's line, or with no place at all: a library's path is no help to them."""
        place = f"{filename}:{lineno}: " if filename == self._task.filename else ""
        return f"{place}{category.__name__}: {message}\n"

    def _show_unraisable(self, caught: sys.UnraisableHookArgs) -> None:
        """What a destructor or a callback raised, with their lines alone."""
        if caught.exc_value is not None and self._program is not None:
            told = theirs(caught.exc_value, self._program, self._task.filename)
            print(f"Exception ignored: {told}", file=sys.stderr)


class Recorder:
    """Our cmp: keeps a copy of what it is given, taken at that moment, as the answer for a checkpoint.

    The lecture's is cmp(name, gradient, tensor); students' own come with other orders, or without the name.
    So the name is the first string, or else that of the tensor of the state among the arguments; the gradient
    is the first other argument.
    """

    def __init__(self, checkpoints: Any) -> None:
        self._checkpoints = frozenset(checkpoints)
        self.known: dict[int, str] = {}
        self.answers: dict[str, Answer] = {}

    def __call__(self, *arguments: object, **named: object) -> None:
        values = [*arguments, *named.values()]
        name = next((value for value in values if type(value) is str), None)
        rest = [value for value in values if type(value) is not str]
        if name is not None:
            name = name.strip()
            if name not in self._checkpoints:
                name = name.removeprefix("d")
        if name not in self._checkpoints:
            name = next((known for value in rest if (known := self.known.get(id(value))) in self._checkpoints), None)
        if name is None or not rest:
            return
        answer = normalise(next((value for value in rest if id(value) not in self.known), rest[0]))
        tensor = None if answer.tensor is None else answer.tensor.clone()
        self.answers[name] = Answer(tensor, answer.notes, answer.misfit, answer.shape, answer.dtype)


class Screen(io.TextIOBase):
    """Standard output and standard error: straight into the result, so that it survives the process."""

    encoding = "utf-8"
    errors = "replace"

    def __init__(self, writer: Writer, overflow: Callable[[], None]) -> None:
        self._writer = writer
        self._overflow = overflow

    def writable(self) -> bool:
        return True

    def write(self, text: str, /) -> int:
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        if not self._writer.print(text.encode("utf-8", "replace")):
            self._overflow()
        return len(text)


_NO_CODE: Final = compile("", "", "exec")


def _constant_or_tensor(tensor: torch.Tensor) -> torch.Tensor | int:
    """A zero-dimensional int64 of the state is a constant, such as n or vocab_size: code gets a Python
    int.
    """
    return int(tensor) if tensor.dim() == 0 and tensor.dtype is torch.int64 else tensor


def _same(one: torch.Tensor, other: torch.Tensor) -> bool:
    """Equal shape, dtype and values; a NaN equals itself, for it is the same tensor that was left alone."""
    if one.shape != other.shape or one.dtype is not other.dtype:
        return False
    return _equal(one, other) or (
        one.numel() != 0 and _equal(_bits(one.reshape(-1), torch.uint8), _bits(other.reshape(-1), torch.uint8))
    )
