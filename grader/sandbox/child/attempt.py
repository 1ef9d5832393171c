"""One run of one student file, inside the child."""

from __future__ import annotations

import ast
import builtins
import contextlib
import io
import os
import sys
import types
import warnings
from typing import Any, Final, NoReturn

import torch
import torch.nn.functional

from grader.answer import CHANGED_AFTER_CMP, Answer, normalise
from grader.descent import compiled, descend
from grader.sandbox.child.error_messages import BACKWARD_RETURNED, TOO_DEEP, TOO_MUCH_OUTPUT, UNREADABLE
from grader.sandbox.child.explain import explain, student_traceback
from grader.sandbox.child.loop_body import body_of_loop
from grader.sandbox.child.recorder import Recorder
from grader.sandbox.child.result_writer import ResultWriter
from grader.sandbox.child.screen import Screen
from grader.sandbox.child.source import OUR_CMP, Program, prepare
from grader.sandbox.job import Loop, RunStatus
from grader.sandbox.limits import KIB
from grader.sandbox.protocol import ReceivedJob
from grader.sandbox.result_layout import Layout

# Kept here because student code may replace them.
_leave: Final = os._exit
_equal: Final = torch.equal
_bits: Final = torch.Tensor.view
_stop_tracing: Final = sys.settrace
_stop_profiling: Final = sys.setprofile
_set_recursion_limit: Final = sys.setrecursionlimit
_builtins: Final = builtins.__dict__
_modules: Final = sys.modules
_builtins_before: Final[dict[str, Any]] = {}
_modules_before: Final[dict[str, types.ModuleType]] = {}

_NO_PROGRAM: Final = compile("", "", "exec")
_RECURSION_LIMIT: Final = 1000


def remember_modules() -> None:
    """Note what ``_repair`` restores. Done in the zygote: one more reference to each module copies its page.

    Two thousand modules cost a child a thousand pages, a third of all that it copies.
    """
    _builtins_before.update(_builtins)
    _modules_before.update(_modules)


def _repair() -> None:
    """Restore what honest work needs: code that shadows ``len`` for everybody still has its answers read."""
    _builtins.update(_builtins_before)
    if len(_modules) < len(_modules_before):
        _modules.update(_modules_before)
    for stop in (_stop_tracing, _stop_profiling):
        with contextlib.suppress(BaseException):  # an audit hook may raise here, and cannot be removed
            stop(None)
    with contextlib.suppress(BaseException):
        _set_recursion_limit(_RECURSION_LIMIT)


class Attempt:
    """One run of one file."""

    def __init__(self, task: ReceivedJob, writer: ResultWriter) -> None:
        self._task = task
        self._writer = writer
        self._program: Program | None = None
        self._state: dict[str, torch.Tensor] = {}
        self._names: dict[str, Any] = {}  # the student's globals
        self._returned: dict[Any, Any] = {}  # by ``backward(state)``
        self._backward: types.FunctionType | None = None  # the student's, once a step has found it
        self._recorder = Recorder(slot.name for slot in task.slots)
        self._status = RunStatus.CRASHED
        writer.begin(Layout.of(task.slots, task.limits))

    def run(self) -> RunStatus:
        """Run the file and write its answers, whatever happens. Return the status that was written."""
        before = sys.stdout, sys.stderr, sys.stdin, sys.unraisablehook, warnings.formatwarning, sys.modules["__main__"]
        # Warnings and logs go to the same place, in order. Too many of them are cut, and the run goes on.
        sys.stderr = Screen(self._writer, lambda: None)
        # In a loop, what each step prints is cut too.
        sys.stdout = Screen(self._writer, self._overflow) if self._task.loop is None else sys.stderr
        sys.stdin = io.StringIO()
        warnings.formatwarning = self._format_warning
        sys.unraisablehook = self._show_unraisable
        self._conclude(*self._perform())
        sys.stdout, sys.stderr, sys.stdin, sys.unraisablehook, warnings.formatwarning, sys.modules["__main__"] = before
        return self._status

    def _perform(self) -> tuple[RunStatus, str]:
        """Compile and run the file. Return status and message."""
        filename = self._task.filename
        try:
            self._program = prepare(self._task.source, filename, self._without_loop)
        except (MemoryError, RecursionError):
            return RunStatus.ERROR, TOO_DEEP.format(filename=filename)
        except SyntaxError as error:
            return explain(error, Program(_NO_PROGRAM, self._task.source, ()), filename)
        except ValueError as error:  # null bytes, lone surrogates
            return RunStatus.ERROR, UNREADABLE.format(filename=filename, reason=error)
        try:
            self._names = self._namespace()
            if self._task.loop is None:
                exec(self._program.code, self._names)
                self._call_backward()
            else:
                self._descend(self._task.loop)
        except BaseException as error:
            _repair()
            if type(error) is SystemExit and error.code in (None, 0):
                return RunStatus.OK, ""
            return explain(error, self._program, filename)
        _repair()
        return RunStatus.OK, ""

    def _namespace(self) -> dict[str, Any]:
        """Make the student's globals: each tensor of the state under its name, and the lecture's imports."""
        self._state = dict(self._task.state)
        self._recorder.forward_names = {id(tensor): name for name, tensor in self._state.items()}
        main = types.ModuleType("__main__")
        main.__dict__.update(
            {name: _constant_or_tensor(tensor) for name, tensor in self._state.items()},
            __builtins__=builtins,
            torch=torch,
            F=torch.nn.functional,
            cmp=self._recorder,
            __file__=f"/{self._task.filename}",  # absolute: where code asks for its folder, no file is looked up
            **{OUR_CMP: self._recorder.in_any_order},
        )
        self._recorder.variables = main.__dict__
        sys.modules["__main__"] = main
        return main.__dict__

    def _without_loop(self, tree: ast.Module) -> ast.Module | None:
        """Return a file whose training loop stayed behind; None if it has none."""
        loop = self._task.loop
        given = frozenset(self._task.state) | frozenset(loop.given if loop else ())
        return body_of_loop(tree, frozenset(f"d{slot.name}" for slot in self._task.slots), given)

    def _descend(self, loop: Loop) -> None:
        """Take the steps of a loop, each with the gradients of the student's code; the answers are the parameters.

        :raises BadGradient: the code gives no gradient to take a step with
        """
        state = self._state
        parameters = {name: state[name] for name in loop.parameters}
        constants = {name: int(value) for name, value in state.items() if type(_constant_or_tensor(value)) is int}
        minibatches = zip(state["Xb"], state["Yb"], state["rates"].tolist(), strict=True)
        # Made once; of code that computes by statements, each step gets a namespace of its own.
        base = {name: self._names[name] for name in self._names.keys() - state.keys()} | {
            "cmp": _ignore,
            OUR_CMP: _ignore,
        }
        descend(compiled(loop.forward), parameters, constants, minibatches, lambda step: self._gradients(base, step))
        self._returned = parameters

    def _gradients(self, base: dict[str, Any], step: dict[str, Any]) -> dict[Any, Any]:
        """Return what the student's code computes of a forward state, by its function or by its statements.

        :raises TypeError: if its function returns no dict
        """
        if self._backward is None:
            assert self._program is not None
            names = {**base, **step}
            exec(self._program.code, names)
            found = {key: names[key] for slot in self._task.slots if (key := f"d{slot.name}") in names}
            if found:
                return found
            self._backward = _function_of_one(names.get("backward"))
            if self._backward is None:
                return {}
        return _checked(self._backward(step))

    def _call_backward(self) -> None:
        """Call ``backward(state)`` if the file defines it: a dict of the state in, a dict of gradients out.

        If the file has left answers itself, a function of that name is a helper of the student's.

        :raises TypeError: if it returns no dict
        """
        if self._recorder.answers or any("d" + slot.name in self._names for slot in self._task.slots):
            return
        backward = _function_of_one(self._names.get("backward"))
        if backward is not None:
            state = {name: _constant_or_tensor(tensor) for name, tensor in self._state.items()}
            self._returned = _checked(backward(state))

    def _conclude(self, status: RunStatus, message: str) -> None:
        """Write all answers that there are, and how the run ended."""
        flags = self._program.flags if self._program else ()
        for index, slot in enumerate(self._task.slots):
            with contextlib.suppress(BaseException):  # an answer that cannot be read is not handed in
                answer = self._answer(slot.name, slot.capacity)
                if answer is not None:
                    self._writer.answer(index, answer)
        self._writer.finish(status, message, flags)
        self._status = status

    def _answer(self, name: str, capacity: int) -> Answer | None:
        """Return the answer for one checkpoint; None for none.

        1. What ``backward`` returned.
        2. What ``cmp`` was given last, with a note if that was the variable, and it has changed since.
        3. The variable ``d`` + name.
        """
        variable = f"d{name}"
        for key in (variable, name):
            if key in self._returned:
                return normalise(self._returned[key], capacity)
        record = self._recorder.answers.get(name)
        if record is None:
            return normalise(self._names[variable], capacity) if variable in self._names else None
        recorded = record.answer
        if record.was_variable and variable in self._names and recorded.tensor is not None:
            final = normalise(self._names[variable], capacity).tensor
            if final is not None and not _same(recorded.tensor, final):
                notes = (*recorded.notes, CHANGED_AFTER_CMP)
                return Answer(recorded.tensor, notes, None, recorded.shape, recorded.dtype)
        return recorded

    def _overflow(self) -> NoReturn:
        """Standard output is full. End the process now: student code could catch an exception."""
        _repair()
        message = TOO_MUCH_OUTPUT.format(kib=self._task.limits.stdout_bytes // KIB)
        self._conclude(RunStatus.OUTPUT_LIMIT, message)
        _leave(0)

    def _format_warning(
        self,
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        line: str | None = None,
    ) -> str:
        """Format a warning with the student's line, or without a place: a library's path does not help them."""
        place = f"{filename}:{lineno}: " if filename == self._task.filename else ""
        return f"{place}{category.__name__}: {message}\n"

    def _show_unraisable(self, caught: sys.UnraisableHookArgs) -> None:
        """Print what a destructor or a callback raised, with the student's lines alone."""
        if caught.exc_value is not None and self._program is not None:
            shown = student_traceback(caught.exc_value, self._program, self._task.filename)
            print(f"Exception ignored: {shown}", file=sys.stderr)


def _ignore(*arguments: object, **named: object) -> None:
    """Stand for ``cmp`` in a loop: there is nothing to compare."""


def _function_of_one(value: object) -> types.FunctionType | None:
    """Return a function that takes one argument; None for anything else."""
    return value if isinstance(value, types.FunctionType) and value.__code__.co_argcount == 1 else None


def _checked(returned: object) -> dict[Any, Any]:
    """Return what ``backward`` returned.

    :raises TypeError: if it is no dict
    """
    if not isinstance(returned, dict):
        raise TypeError(BACKWARD_RETURNED.format(type=type(returned).__name__))
    return returned


def _constant_or_tensor(tensor: torch.Tensor) -> torch.Tensor | int:
    """Turn a constant of the state, such as ``n``, into a Python int: it is a zero-dimensional int64 there."""
    return int(tensor) if tensor.dim() == 0 and tensor.dtype is torch.int64 else tensor


def _same(one: torch.Tensor, other: torch.Tensor) -> bool:
    """Whether shape, dtype and values are equal. A NaN equals itself: it is the same tensor, left alone."""
    if one.shape != other.shape or one.dtype is not other.dtype:
        return False
    return _equal(one, other) or (
        one.numel() != 0 and _equal(_bits(one.reshape(-1), torch.uint8), _bits(other.reshape(-1), torch.uint8))
    )
