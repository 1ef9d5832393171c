"""What a student reads of an exception: their lines alone, and what to do next."""

from __future__ import annotations

import errno
import socket

import pytest
import torch

from grader.sandbox import RunStatus
from grader.sandbox.child.explain import explain, student_traceback
from grader.sandbox.child.source import prepare
from tests.grader.sandbox.conftest import Runner

NAME = "solution.py"


def raised(source: str, **names: object) -> str:
    """The traceback that the student reads of this file."""
    program = prepare(source, NAME)
    try:
        exec(program.code, {"torch": torch, **names})
    except BaseException as error:
        return student_traceback(error, program, NAME)
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


def test_a_traceback_has_the_students_lines_alone(run: Runner) -> None:
    got = run("def first():\n    return second()\n\ndef second():\n    return x @ x\n\nfirst()")
    assert got.status is RunStatus.ERROR
    assert 'File "solution.py", line 7, in <module>\n    first()' in got.message
    assert 'File "solution.py", line 5, in second\n    return x @ x' in got.message
    assert "RuntimeError: mat1 and mat2" in got.message
    assert "grader" not in got.message and "site-packages" not in got.message and got.message.count("File") == 3


def test_a_traceback_shows_no_path_of_a_library(run: Runner) -> None:
    got = run("F.one_hot(Xb, num_classes=1)\n")
    assert "site-packages" not in got.message and 'File "solution.py", line 1' in got.message
    got = run("import functools\nfunctools.reduce(lambda a, b: a / 0, [1, 2])\n")
    assert got.message.splitlines()[-1] == "ZeroDivisionError: division by zero"


def test_a_syntax_error_has_its_line(run: Runner) -> None:
    got = run("dx = x\ndw = (w +\n")
    assert got.status is RunStatus.ERROR
    assert 'File "solution.py", line 2' in got.message and "SyntaxError: '(' was never closed" in got.message


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("open('names.txt')", "opening files is not possible here; everything you need is already"),
        ("import os\nos.listdir('.')", "opening files is not possible here"),
        ("import urllib.request\nurllib.request.socket.create_connection(('127.0.0.1', 1))", "no network"),
        ("import socket\nsocket.socket()", "no network here"),
        ("import os\nos.fork()", "starting processes or threads is not possible here"),
        ("import subprocess\nsubprocess.run(['ls'])", "not possible here"),
        ("import threading\nthreading.Thread(target=print).start()", "starting processes or threads"),
        ("import os\nos.kill(0, 9)", "sending signals is not possible here"),
        ("import ctypes\nctypes.CDLL(None).ptrace(0)", "was stopped"),
        ("import mmap\nmmap.mmap(-1, 4096)", "memory that processes share is not available here; use plain tensors."),
        ("x.share_memory_()", "memory that processes share"),
        ("import ctypes\nctypes.CFUNCTYPE(None)(print)", "C code cannot call Python back here"),
        ("import ctypes\nCallback = ctypes.CFUNCTYPE(None)\nCallback(print)", "C code cannot call Python back here"),
    ],
)
def test_a_forbidden_act_is_named(run: Runner, source: str, sentence: str) -> None:
    got = run(source)
    assert got.status is RunStatus.DENIED, got
    assert sentence in got.message


@pytest.mark.parametrize(
    ("source", "status", "sentence"),
    [
        ("import pandas", RunStatus.ERROR, "pandas cannot be imported here"),
        ("x.cuda()", RunStatus.ERROR, "There is no GPU here; leave the tensors where they are."),
        (
            "raise RuntimeError('Found no NVIDIA driver on your system.')",  # as a build with CUDA says it
            RunStatus.ERROR,
            "There is no GPU here",
        ),
        ('{"cells": [], "metadata": {"a": null}}', RunStatus.ERROR, "hand in its code"),
        ("torch.autograd.grad(x.sum(), x)", RunStatus.ERROR, "derive the gradient and hand it to cmp"),
        ("torch.save({}, 'x.pt')", RunStatus.DENIED, "opening files is not possible here"),
        ("torch.seed()", RunStatus.DENIED, "opening files is not possible here"),
        (
            "import urllib.request\nurllib.request.urlretrieve('http://nowhere.test/names.txt', 'names.txt')",
            RunStatus.DENIED,
            "there is no network here",
        ),
        ("import os\nos.sched_getaffinity(0)", RunStatus.DENIED, "a gradient needs nothing from the operating system"),
        ("def f():\n\f    return 1 / 0\nf()", RunStatus.ERROR, "line 2, in f\n    return 1 / 0"),
    ],
)
def test_a_message_says_what_to_do(run: Runner, source: str, status: RunStatus, sentence: str) -> None:
    got = run(source)
    assert got.status is status and sentence in got.message, got
    assert "site-packages" not in got.message and "grader" not in got.message


def test_exhausted_memory_beside_ctypes_is_the_memory_limit(run: Runner) -> None:
    got = run("import ctypes\nheld = [bytes(2**20) for _ in range(400)]")

    assert got.status is RunStatus.MEMORY_LIMIT and "C code" not in got.message


def test_exhausted_memory_is_the_memory_limit(run: Runner) -> None:
    got = run(
        "hoard = []\ntry:\n    while True: hoard.append(torch.empty(1 << 14))\nexcept RuntimeError: pass\n"
        "while True: hoard.append(bytes(100))"
    )
    assert got.status is RunStatus.MEMORY_LIMIT and "No more than 256 MiB" in got.message


def test_there_is_no_grad(run: Runner) -> None:
    got = run("dx = x.grad * 2")
    assert got.status is RunStatus.ERROR and "There is no .grad here" in got.message


@pytest.mark.parametrize(
    ("hot", "told"),
    [
        ("F.one_hot(labels)", True),
        ("F.one_hot(labels).float()", True),
        ("F.one_hot(w.max(1).indices)", True),
        ("F.one_hot(labels, num_classes=2)", False),
        ("torch.ones(3, 2)", False),
    ],
)
def test_one_hot_of_unknown_width_is_explained(run: Runner, hot: str, told: bool) -> None:
    got = run(f"labels = torch.tensor([0, 1, 0])\ndx = {hot} + x[:3]")

    assert got.status is RunStatus.ERROR
    assert ("num_classes=vocab_size" in got.message) is told
