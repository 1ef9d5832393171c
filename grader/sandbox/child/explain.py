"""Explain an exception of student code: their lines alone, and what to do next."""

from __future__ import annotations

import ctypes
import errno
import re
import socket
import traceback
from typing import Final

from grader.sandbox.child.error_messages import HINTS, UNSHOWABLE, Hint
from grader.sandbox.child.source import Program
from grader.sandbox.job import RunStatus

# Which act was refused, by words in the failing lines and in the modules on the way. The first row that fits counts.
_ACTS: Final = (
    (("socket", "urllib", "http", "ssl", "requests", "connect"), Hint.NETWORK),
    (("fork", "subprocess", "multiprocessing", "popen", "spawn", "exec", "thread", "pty"), Hint.PROCESSES),
    (("kill", "signal"), Hint.SIGNALS),
    (("mmap", "share_memory", "memfd"), Hint.SHARED_MEMORY),
    (("open", "path", "stat", "dir", "file"), Hint.FILES),
)
_OUT_OF_MEMORY: Final = (
    "not enough memory",
    "can't allocate memory",
    "std::bad_alloc",
    "Unable to allocate",
    "[enforce fail at alloc",
)
# torch's words for a file that could not be opened, and Python's for a thread that could not be started.
_REFUSED: Final = ("can't start new thread", "nable to open", "open file failed")
# Words of a message that a student may meet here, and not at home.
_WORDS: Final = (
    (("CUDA enabled", "NVIDIA driver", "CUDA-capable device", "not linked with support for"), Hint.NO_GPU),
    (
        ("name 'null' is not defined", "name 'true' is not defined", "name 'false' is not defined"),
        Hint.NOTEBOOK_FILE,
    ),
    (("does not require grad and does not have a grad_fn",), Hint.NO_GRAPH),
)
# A call with one argument: F.one_hot(Yb), one_hot(logits.max(1).indices)
_ONE_HOT_OF_UNKNOWN_WIDTH: Final = re.compile(r"\bone_hot\(\s*[\w.]+(?:\([^()]*\))?[\w.]*\s*\)")
_PROTOTYPE: Final = type(ctypes.CFUNCTYPE(None))  # the type of all that CFUNCTYPE returns
_EXCEPTIONS_MAX: Final = 8  # shown of a chain or a group; the rest is left out
_PLACES_MAX: Final = 200  # words of a traceback that are searched for an act


def explain(error: BaseException, program: Program, filename: str) -> tuple[RunStatus, str]:
    """Return status and message for an exception. Total: the exception is of the student's making."""
    try:
        return _explain(error, program, filename)
    except MemoryError:  # there is none left to show it with
        return RunStatus.MEMORY_LIMIT, _type_name(error)
    except BaseException:
        return RunStatus.ERROR, UNSHOWABLE.format(exception=_type_name(error))


def _explain(error: BaseException, program: Program, filename: str) -> tuple[RunStatus, str]:
    shown = student_traceback(error, program, filename)
    if _is_refused_callback(error, program, filename):
        return RunStatus.DENIED, f"{shown}\n{HINTS[Hint.CALLBACKS]}"
    if isinstance(error, MemoryError) or _says(error, _OUT_OF_MEMORY):
        return RunStatus.MEMORY_LIMIT, shown
    act = _refused_act(error, shown)
    if act is not None:
        return RunStatus.DENIED, f"{shown}\n{HINTS[act]}"
    if isinstance(error, ModuleNotFoundError):
        return RunStatus.ERROR, f"{shown}\n{HINTS[Hint.MODULE].format(module=error.name or 'That module')}"
    hint = _hint(error, shown) or _width_hint(error, program)
    return RunStatus.ERROR, f"{shown}\n{HINTS[hint]}" if hint else shown


def _is_refused_callback(error: BaseException, program: Program, filename: str) -> bool:
    """Whether ctypes was refused executable memory for a callback: it says no more than "out of memory"."""
    frames = [place for place in traceback.walk_tb(error.__traceback__) if place[0].f_code.co_filename == filename]
    if type(error) is not MemoryError or not frames:
        return False
    frame, number = frames[-1]
    words = re.findall(r"\w+", _line(program.text.split("\n"), number))
    values = [frame.f_locals.get(word, frame.f_globals.get(word)) for word in words]
    return "CFUNCTYPE" in words or any(isinstance(value, _PROTOTYPE) for value in values)


def _refused_act(error: BaseException, shown: str) -> Hint | None:
    """Return what the sandbox refused; None if the exception has another reason."""
    if any(isinstance(each, socket.gaierror) for each in (error, error.__context__)):  # a name was looked up
        return Hint.NETWORK
    if isinstance(error, OSError) and error.errno in (errno.EACCES, errno.EPERM):
        return Hint.FILES if error.errno == errno.EACCES else _act_by_words(error, shown)
    return _act_by_words(error, shown) if _says(error, _REFUSED) else None


def _act_by_words(error: BaseException, shown: str) -> Hint:
    lines = [line for line in shown.splitlines() if not line.startswith("  File ")]  # "file" is a word of an act
    trace = error.__traceback__
    while trace is not None and len(lines) < _PLACES_MAX:
        code = trace.tb_frame.f_code
        lines += [*code.co_filename.split("/")[-2:], code.co_name]
        trace = trace.tb_next
    text = " ".join(lines).lower()
    return next((act for words, act in _ACTS if any(word in text for word in words)), Hint.OPERATING_SYSTEM)


def _hint(error: BaseException, shown: str) -> Hint | None:
    """Return what to do about an exception that the sandbox did not cause; None if the traceback says enough."""
    match error:
        case RecursionError():
            return Hint.RECURSION
        case SystemExit():
            return Hint.EXIT
        case EOFError():
            return Hint.INPUT
    text = _text(error)
    if isinstance(error, (TypeError, AttributeError)) and "NoneType" in text and "grad" in shown:
        return Hint.NO_GRAD
    return next((hint for words, hint in _WORDS if any(word in text for word in words)), None)


def _width_hint(error: BaseException, program: Program) -> Hint | None:
    """Return the hint for sizes that differ where ``F.one_hot`` was not told how many columns there are."""
    differs = isinstance(error, RuntimeError) and "size" in _text(error)
    return Hint.ONE_HOT if differs and _ONE_HOT_OF_UNKNOWN_WIDTH.search(program.text) else None


def student_traceback(error: BaseException, program: Program, filename: str) -> str:
    """Return the traceback with the student's frames alone: no frame and no path of the grader or of a library."""
    lines = program.text.split("\n")
    top = traceback.TracebackException.from_exception(error, lookup_lines=False, max_group_width=4)
    exceptions = [top]
    for each in exceptions:  # grows in the loop: causes, contexts, and the members of groups
        each.stack = traceback.StackSummary.from_list(
            [
                traceback.FrameSummary(filename, frame.lineno, frame.name, line=_line(lines, frame.lineno))
                for frame in each.stack
                if frame.filename == filename
            ]
        )
        if len(exceptions) >= _EXCEPTIONS_MAX:
            each.__cause__ = each.__context__ = each.exceptions = None
        exceptions += filter(None, [each.__cause__, each.__context__, *(each.exceptions or ())])
    return "".join(top.format()).rstrip("\n")


def _line(lines: list[str], number: int | None) -> str:
    return lines[number - 1].strip() if number is not None and 0 < number <= len(lines) else ""


def _says(error: BaseException, words: tuple[str, ...]) -> bool:
    return isinstance(error, (RuntimeError, MemoryError)) and any(word in _text(error) for word in words)


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except BaseException:
        return ""


_name_slot = type.__dict__["__name__"].__get__  # a metaclass can lie about __name__; the slot cannot


def _type_name(error: BaseException) -> str:
    return str(_name_slot(type(error)))
