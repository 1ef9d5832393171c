"""The few calls into the kernel that Python has no function for. All of them raise OSError on failure."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterable
from typing import Final, NamedTuple

from grader.sandbox.locks.syscalls import ARCHITECTURES, Architecture

PR_SET_PDEATHSIG: Final = 1
PR_GET_PDEATHSIG: Final = 2
PR_GET_DUMPABLE: Final = 3
PR_SET_DUMPABLE: Final = 4
PR_SET_NO_NEW_PRIVS: Final = 38
PR_GET_NO_NEW_PRIVS: Final = 39

_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long
_libc.prctl.argtypes = [ctypes.c_int] + [ctypes.c_ulong] * 4
_libc_with_gil = ctypes.PyDLL(None, use_errno=True)
_syscall = _libc_with_gil.syscall
_syscall.restype = ctypes.c_long
_memcmp = _libc_with_gil.memcmp
_fork = getattr(_libc_with_gil, "_Fork", None) or _libc_with_gil.fork  # glibc has it since 2.34


def architecture() -> Architecture:
    """Return the architecture of this machine.

    :raises OSError: if the sandbox has no table for it
    """
    machine = os.uname().machine
    try:
        return ARCHITECTURES[machine]
    except KeyError:
        raise OSError(f"no system call table for {machine}: code cannot be graded on this machine") from None


class Call(NamedTuple):
    """A system call that was prepared in the zygote: a child that makes it copies no page for its arguments' sake.

    ``arguments``: the number, and then small integers, references to ctypes objects (``ctypes.byref``), and None for a
    null pointer. ``result`` is the one that it must have, or None for any without an error. ``refusal`` is an error
    that is as good.
    """

    arguments: tuple[object, ...]
    result: int | None = 0
    refusal: int = 0


class Look(NamedTuple):
    """A prepared call that asks for something: its result, and the first bytes of the answer that it must fill in."""

    arguments: tuple[object, ...]
    result: int = 0
    answer: object = None  # references to ctypes objects
    expected: object = None
    length: int = 0


def make(calls: Iterable[Call]) -> None:
    """Make prepared calls, one after the other.

    :raises OSError: if one of them fails; those after it are not made
    """
    for arguments, result, refusal in calls:
        got = _syscall(*arguments)
        if got != result and (result is not None or got < 0):
            code = ctypes.get_errno()
            if got >= 0 or code != refusal:
                raise OSError(code, f"system call {arguments[0]} returned {got} ({os.strerror(code)})")


def holds(looks: Iterable[Look]) -> bool:
    """Whether every look finds what it expects."""
    for arguments, result, answer, expected, length in looks:
        if _syscall(*arguments) != result:
            return False
        if length and _memcmp(answer, expected, length) != 0:
            return False
    return True


def attempt(arguments: tuple[object, ...]) -> int:
    """Make one prepared call. Return its result, or the negative number of its error."""
    result = int(_syscall(*arguments))
    return result if result >= 0 else -ctypes.get_errno()


def call(number: int, *arguments: object) -> int:
    """Make a system call by number. Integers are widened to 64 bits; ctypes pointers pass as they are.

    :raises OSError: if the call fails
    """
    widened = [ctypes.c_long(each) if isinstance(each, int) else each for each in arguments]
    result = int(_libc.syscall(ctypes.c_long(number), *widened))
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result


def fork() -> int:
    """Fork without the hooks of Python and of the C library.

    The hooks repair locks and threads. A process of one thread that holds no lock has nothing to repair, and the hooks
    cost a child three hundred copied pages.

    :raises OSError: if the fork fails
    """
    process = int(_fork())
    if process < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return process


def prctl(option: int, argument: int = 0) -> int:
    """Call the kernel's ``prctl`` with one argument; see its page in section 2 of the manual.

    :raises OSError: if it fails
    """
    result = int(_libc.prctl(option, argument, 0, 0, 0))
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result
