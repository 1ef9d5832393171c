"""What a student reads of an exception: their lines alone, and what to do next."""

from __future__ import annotations

import errno
import socket

import pytest
import torch

from grader.sandbox import RunStatus
from grader.sandbox.excuse import explain, theirs
from grader.sandbox.source import prepare

NAME = "solution.py"


def raised(source: str, **names: object) -> str:
    """The traceback that the student reads of this file."""
    program = prepare(source, NAME)
    try:
        exec(program.code, {"torch": torch, **names})
    except BaseException as error:
        return theirs(error, program, NAME)
    raise AssertionError("it raised nothing")


def explained(error: BaseException, source: str = "x") -> tuple[RunStatus, str]:
    return explain(error, prepare(source, NAME), NAME)


@pytest.mark.parametrize(
    ("error", "status", "words"),
    [
        (MemoryError(), RunStatus.MEMORY_LIMIT, "MemoryError"),
        (RuntimeError("std::bad_alloc"), RunStatus.MEMORY_LIMIT, ""),
        (RuntimeError("DefaultCPUAllocator: not enough memory: you tried"), RunStatus.MEMORY_LIMIT, ""),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), RunStatus.MEMORY_LIMIT, ""),
        (RuntimeError("[enforce fail at alloc_cpu.cpp:1]"), RunStatus.MEMORY_LIMIT, ""),
        (MemoryError("Unable to allocate 8 GiB for an array"), RunStatus.MEMORY_LIMIT, ""),
        (ValueError("not enough memory"), RunStatus.ERROR, ""),
        (RecursionError(), RunStatus.ERROR, "calls itself without end"),
        (PermissionError(errno.EACCES, "no"), RunStatus.DENIED, "opening files is not possible"),
        (OSError(errno.EPERM, "no"), RunStatus.DENIED, "a gradient needs nothing from the operating system"),
        (OSError(errno.EIO, "no"), RunStatus.ERROR, ""),
        (socket.gaierror(-2, "no name"), RunStatus.DENIED, "there is no network here"),
        (RuntimeError("can't start new thread"), RunStatus.DENIED, "starting processes or threads"),
        (RuntimeError("Unable to open the file"), RunStatus.DENIED, "opening files"),
        (RuntimeError("open file failed"), RunStatus.DENIED, "opening files"),
        (ModuleNotFoundError("no", name="pandas"), RunStatus.ERROR, "pandas cannot be imported here"),
        (ModuleNotFoundError("no"), RunStatus.ERROR, "That module cannot be imported here"),
        (SystemExit(3), RunStatus.ERROR, "The code left before its end"),
        (EOFError(), RunStatus.ERROR, "nobody here to answer input()"),
        (AssertionError("Torch not compiled with CUDA enabled"), RunStatus.ERROR, "There is no GPU here"),
        (RuntimeError("PyTorch is not linked with support for mps devices"), RunStatus.ERROR, "There is no GPU here"),
        *(
            (NameError(f"name '{word}' is not defined"), RunStatus.ERROR, "hand in its code")
            for word in ("true", "false")
        ),
        (
            RuntimeError("element 0 of tensors does not require grad and does not have a grad_fn"),
            RunStatus.ERROR,
            "The tensors here have no graph",
        ),
    ],
)
def test_an_exception_is_explained(error: BaseException, status: RunStatus, words: str) -> None:
    got, message = explained(error)

    assert got is status and words in message
    assert words or message.count("\n") == 0


def test_none_has_no_grad_only_where_grad_was_read() -> None:
    for line, hint in (("x.grad * 2", True), ("x.size * 2", False)):
        program = prepare(f"{line}\n", NAME)
        with pytest.raises(TypeError) as raised:
            exec(program.code, {"x": type("X", (), {"grad": None, "size": None})})
        assert ("There is no .grad here" in explain(raised.value, program, NAME)[1]) is hint


def test_an_exception_that_cannot_be_shown_is_named() -> None:
    class Odd(Exception):
        def __str__(self) -> str:
            raise SystemExit

        def __reduce__(self) -> str:
            raise SystemExit

    class Worse(Odd):
        @property
        def __notes__(self) -> str:  # type: ignore[override]
            raise SystemExit

    for kind in (Odd, Worse):
        status, message = explained(kind())
        assert status is RunStatus.ERROR and kind.__name__ in message


def test_a_cause_is_shown_and_a_suppressed_context_is_not() -> None:
    both = raised("try:\n    1 / 0\nexcept ZeroDivisionError as error:\n    raise KeyError('k') from error")
    context = raised("try:\n    1 / 0\nexcept ZeroDivisionError:\n    raise KeyError('k')")
    alone = raised("try:\n    1 / 0\nexcept ZeroDivisionError:\n    raise KeyError('k') from None")

    assert "direct cause" in both and both.count("ZeroDivisionError: division") == 1
    assert "During handling" in context
    assert "division" not in alone and alone.endswith("KeyError: 'k'")


@pytest.mark.parametrize("depth", [3, 7, 8, 9, 20])
def test_a_chain_of_exceptions_shows_no_frame_of_a_library(depth: int) -> None:
    source = (
        "def deeper(n):\n"
        "    try:\n"
        "        torch.nn.functional.one_hot(torch.tensor([1]), num_classes='x') if n == 0 else deeper(n - 1)\n"
        "    except Exception as error:\n"
        "        library(error)\n"
        f"deeper({depth})"
    )

    def library(error: Exception) -> None:
        raise ValueError("again") from error

    shown = raised(source, library=library)

    assert "site-packages" not in shown and "test_excuse" not in shown
    assert shown.splitlines()[-1] == "ValueError: again"


def test_a_group_of_exceptions_shows_no_frame_of_a_library() -> None:
    def library() -> None:
        raise ValueError("inside")

    source = "try:\n    library()\nexcept ValueError as error:\n    raise ExceptionGroup('some', [error])"

    shown = raised(source, library=library)

    assert "test_excuse" not in shown and "ValueError: inside" in shown
