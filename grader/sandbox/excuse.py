"""What a student reads when their code did not run to its end: their lines, and what to do next."""

from __future__ import annotations

import errno
import socket
import traceback
from typing import Final

from grader.sandbox.job import RunStatus
from grader.sandbox.source import Program

FILES_DENIED: Final = "opening files is not possible here; everything you need is already in your namespace"
NETWORK_DENIED: Final = "there is no network here; everything you need is already in your namespace"
PROCESSES_DENIED: Final = "starting processes or threads is not possible here; one process is enough for a gradient"
SIGNALS_DENIED: Final = "sending signals is not possible here; remove that call"
OTHERWISE_DENIED: Final = "that is not possible here; a gradient needs nothing from the operating system"
SIGSYS_DENIED: Final = (
    "The code asked the operating system for something that is not possible here, and was stopped; a gradient "
    "needs nothing from it, so remove that call and submit again."
)

# Which act it was, by the words in the failing lines and the modules they were in; the first that fits.
_ACTS: Final = (
    (("socket", "urllib", "http", "ssl", "requests", "connect"), NETWORK_DENIED),
    (("fork", "subprocess", "multiprocessing", "popen", "spawn", "exec", "thread", "pty"), PROCESSES_DENIED),
    (("kill", "signal"), SIGNALS_DENIED),
    (("open", "path", "stat", "dir", "file", "mmap"), FILES_DENIED),
)
_OUT_OF_MEMORY: Final = (
    "not enough memory",
    "can't allocate memory",
    "std::bad_alloc",
    "Unable to allocate",
    "[enforce fail at alloc",
)
# How torch says that a file could not be opened, or a thread not be started.
_REFUSED: Final = ("can't start new thread", "nable to open", "open file failed")
_MOST_EXCEPTIONS: Final = 8  # shown of a chain or a group; the rest is left out
# What else a student may meet here and not at home: words of the message, and what to do.
_HINTS: Final = (
    (("CUDA enabled", "not linked with support for"), "There is no GPU here; leave the tensors where they are."),
    (
        ("name 'null' is not defined", "name 'true' is not defined", "name 'false' is not defined"),
        "If this is a notebook's file, hand in its code: as .py, or by `dojo submit`.",
    ),
    (
        ("does not require grad and does not have a grad_fn",),
        "The tensors here have no graph; derive the gradient and hand it to cmp, or assign it to d + name.",
    ),
)


def explain(error: BaseException, program: Program, filename: str) -> tuple[RunStatus, str]:
    """Status and message for what the student's code raised. Total: the exception is of their making."""
    try:
        return _explain(error, program, filename)
    except MemoryError:  # there is none left to show it with
        return RunStatus.MEMORY_LIMIT, _name(error)
    except BaseException:
        return RunStatus.ERROR, f"{_name(error)} was raised, and showing it raised another exception."


def _explain(error: BaseException, program: Program, filename: str) -> tuple[RunStatus, str]:
    shown = theirs(error, program, filename)
    if isinstance(error, MemoryError) or _says(error, _OUT_OF_MEMORY):
        return RunStatus.MEMORY_LIMIT, shown
    if isinstance(error, RecursionError):
        return RunStatus.ERROR, f"{shown}\nA function calls itself without end; give it a way out."
    refused = isinstance(error, OSError) and error.errno in (errno.EACCES, errno.EPERM)
    if any(isinstance(each, socket.gaierror) for each in (error, error.__context__)):  # a name was to be looked up
        return RunStatus.DENIED, f"{shown}\n{NETWORK_DENIED}."
    if refused or _says(error, _REFUSED):
        return RunStatus.DENIED, f"{shown}\n{_name_the_act(error, shown)}."
    if isinstance(error, ModuleNotFoundError):
        return RunStatus.ERROR, f"{shown}\n{_missing_module(error)}"
    if isinstance(error, (TypeError, AttributeError)) and "NoneType" in _text(error) and "grad" in shown:
        return (
            RunStatus.ERROR,
            f"{shown}\nThere is no .grad here; hand your gradient to cmp, or assign it to d + name.",
        )
    if isinstance(error, SystemExit):
        return RunStatus.ERROR, f"{shown}\nThe code left before its end; remove the call that leaves."
    if isinstance(error, EOFError):
        return (
            RunStatus.ERROR,
            f"{shown}\nThere is nobody here to answer input(); write the value into the code.",
        )
    hint = next((hint for words, hint in _HINTS if any(word in _text(error) for word in words)), "")
    return RunStatus.ERROR, f"{shown}\n{hint}".rstrip("\n")


def theirs(error: BaseException, program: Program, filename: str) -> str:
    """The traceback with the student's frames alone: no frame and no path of the grader or of a library."""
    lines = program.text.split("\n")
    told = traceback.TracebackException.from_exception(error, lookup_lines=False, max_group_width=4)
    shown = [told]
    for each in shown:  # grows while it is walked: causes, contexts, and the members of groups
        each.stack = traceback.StackSummary.from_list(
            [
                traceback.FrameSummary(filename, frame.lineno, frame.name, line=_line(lines, frame.lineno))
                for frame in each.stack
                if frame.filename == filename
            ]
        )
        if len(shown) >= _MOST_EXCEPTIONS:
            each.__cause__ = each.__context__ = each.exceptions = None
        shown += filter(None, [each.__cause__, each.__context__, *(each.exceptions or ())])
    return "".join(told.format()).rstrip("\n")


def _line(lines: list[str], number: int | None) -> str:
    return lines[number - 1].strip() if number is not None and 0 < number <= len(lines) else ""


def _says(error: BaseException, words: tuple[str, ...]) -> bool:
    return isinstance(error, (RuntimeError, MemoryError)) and any(word in _text(error) for word in words)


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except BaseException:
        return ""


_name_slot = type.__dict__["__name__"].__get__


def _name(error: BaseException) -> str:
    return str(_name_slot(type(error)))


def _name_the_act(error: BaseException, shown: str) -> str:
    if isinstance(error, OSError) and error.errno == errno.EACCES:
        return FILES_DENIED
    seen = [line for line in shown.splitlines() if not line.startswith("  File ")]  # each traceback has that word
    trace = error.__traceback__
    while trace is not None and len(seen) < 200:
        place = trace.tb_frame.f_code
        seen += [*place.co_filename.split("/")[-2:], place.co_name]
        trace = trace.tb_next
    words = " ".join(seen).lower()
    return next((sentence for keys, sentence in _ACTS if any(key in words for key in keys)), OTHERWISE_DENIED)


def _missing_module(error: ModuleNotFoundError) -> str:
    return (
        f"{error.name or 'That module'} cannot be imported here; torch, numpy and Python's own math modules can. "
        "Remove the lines that use it."
    )
