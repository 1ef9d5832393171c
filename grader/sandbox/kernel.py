"""The few calls into the kernel that Python has no function for. Everything here raises OSError on
failure.
"""

from __future__ import annotations

import ctypes
import os
from pathlib import Path
from typing import Final

from grader.sandbox.syscalls import ARCHITECTURES, Architecture

PR_SET_PDEATHSIG: Final = 1
PR_GET_PDEATHSIG: Final = 2
PR_GET_DUMPABLE: Final = 3
PR_SET_DUMPABLE: Final = 4
PR_SET_NO_NEW_PRIVS: Final = 38
PR_GET_NO_NEW_PRIVS: Final = 39

_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long
_libc.prctl.argtypes = [ctypes.c_int] + [ctypes.c_ulong] * 4
_libc.madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
_holding_the_gil = ctypes.PyDLL(None, use_errno=True)
_fork = getattr(_holding_the_gil, "_Fork", None) or _holding_the_gil.fork  # glibc has it since 2.34


def architecture() -> Architecture:
    """This machine's, or OSError where the sandbox has no table for it."""
    machine = os.uname().machine
    try:
        return ARCHITECTURES[machine]
    except KeyError:
        raise OSError(f"no system call table for {machine}: code cannot be graded on this machine") from None


def call(number: int, *arguments: object) -> int:
    """A system call by number. Integers are widened to 64 bits; ctypes pointers and structures by reference
    pass.
    """
    widened = [ctypes.c_long(each) if isinstance(each, int) else each for each in arguments]
    result = int(_libc.syscall(ctypes.c_long(number), *widened))
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result


def fork() -> int:
    """A fork without the hooks of Python and of the C library. They look after locks and threads; a process of one
    thread that holds no lock has none to look after, and a child pays for them with three hundred pages that it makes
    its own before it has done anything.
    """
    process = int(_fork())
    if process < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return process


def prctl(option: int, argument: int = 0) -> int:
    """prctl(2) with one argument."""
    result = int(_libc.prctl(option, argument, 0, 0, 0))
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result


def parent_death_signal() -> int:
    """The signal this process gets when its parent dies; 0 for none."""
    signal = ctypes.c_int()
    prctl(PR_GET_PDEATHSIG, ctypes.addressof(signal))
    return signal.value


def keep_freed_memory() -> None:
    """Tell glibc's malloc to keep what is freed. A child then finds its pages again, already its own copies,
    instead of giving them back and faulting them in anew. Other C libraries have no such dial, and need
    none.
    """
    mallopt = getattr(_libc, "mallopt", None)
    if mallopt is not None:
        trim_threshold, top_pad, mmap_threshold = -1, -2, -3
        mallopt(trim_threshold, 64 * 1024 * 1024)
        mallopt(top_pad, 1024 * 1024)
        mallopt(mmap_threshold, 1024 * 1024)


def gather_into_huge_pages() -> None:
    """Have this process's own memory in huge pages, as far as the kernel will. A fork then hands on one entry of
    the page table where it handed on 512, and a child's end lets go of as many: together they take half the time.
    """
    collapse = 25  # MADV_COLLAPSE; kernels without it refuse, and all stays as it was
    for mapping in Path("/proc/self/maps").read_text().splitlines():
        addresses, rights, _, _, inode = mapping.split()[:5]
        if rights == "rw-p" and inode == "0":
            start, end = (int(address, 16) for address in addresses.split("-"))
            _libc.madvise(start, end - start, collapse)
