"""The first lock: which system calls a child may still make. All others are refused, and some kill the process.

A warm child that computes gradients asks the kernel for memory, writes to what it already holds, and exits. So the
list has no call that opens, looks up, connects, starts, signals or maps code. Landlock and the rest are second locks.

The child's last call, ``exit_group``, does not run. The kernel sends an *exit notification* with the exit code to the
trusted side, and the child never runs another instruction. So the trusted side reads the result at once, and the kernel
frees the address space (4 ms, more than the run itself) later. If the kernel has no such notification, the child exits
as usual, and the trusted side waits for its death.
"""

from __future__ import annotations

import ctypes
import errno
import os
from dataclasses import dataclass
from typing import Final, NamedTuple

from grader.sandbox.locks import bpf, kernel
from grader.sandbox.locks.bpf import Condition
from grader.sandbox.locks.syscalls import FILES, HOSTILE, Architecture

# The child's descriptors: 0 to 2 are the null device, and this one is closed before the student's code begins.
CONTROL: Final = 3

# linux/seccomp.h
_KILL: Final = 0x8000_0000  # SECCOMP_RET_KILL_PROCESS
_NOTIFY: Final = 0x7FC0_0000  # SECCOMP_RET_USER_NOTIF
_ALLOW: Final = 0x7FFF_0000  # SECCOMP_RET_ALLOW
_NOT_PERMITTED: Final = 0x0005_0000 | errno.EPERM  # SECCOMP_RET_ERRNO
_ACCESS_DENIED: Final = 0x0005_0000 | errno.EACCES
_NO_SUCH_CALL: Final = 0x0005_0000 | errno.ENOSYS
_SET_MODE_FILTER: Final = 1
_NEW_LISTENER: Final = 1 << 3

# Harmless without conditions: they concern memory, time and randomness that the process has anyway.
_UNCONDITIONAL: Final = (
    "brk", "munmap",  # memory, bounded by the rlimits; nothing can be mapped as code where something was unmapped
    "gettimeofday", "time",  # mostly answered without the kernel
    "nanosleep", "restart_syscall", "sched_yield",  # the wall limit ends all waiting
    "getrandom",  # numpy's and Python's unseeded generators
    "getpid", "gettid",  # its own numbers, of no use to it
    "write",  # to the null device: no other descriptor is open
    "close",
    "exit",
)  # fmt: skip

_PROT_READ_WRITE: Final = 0x1 | 0x2
_MAP_PRIVATE_ANONYMOUS: Final = 0x02 | 0x20
_MAP_HINTS: Final = 0x4000 | 0x20000  # MAP_NORESERVE, MAP_STACK: allocators give them
_MADV_HINTS: Final = (0, 1, 2, 14, 15)  # NORMAL, RANDOM, SEQUENTIAL, HUGEPAGE, NOHUGEPAGE
_FUTEX_CLOCK_REALTIME: Final = 0x100
_FUTEX_WAIT_AND_WAKE: Final = (0x80, 0x81, 0x89, 0x8A)  # WAIT, WAKE, WAIT_BITSET, WAKE_BITSET; all PRIVATE
_OWN_CLOCKS: Final = 0xF  # 0 to 15. A negative number is the processor time of any process

_LOW_WORD: Final = 0xFFFF_FFFF


class _Program(ctypes.Structure):
    """``struct sock_fprog { unsigned short len; struct sock_filter *filter; }``."""

    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


@dataclass(frozen=True, slots=True)
class Filter:
    """The filter in two versions: with an exit notification, and with a plain exit."""

    notifying: bytes
    plain: bytes


def build(machine: Architecture) -> Filter:
    """Assemble the filter for a machine. Takes a millisecond: done once, in the zygote."""
    return Filter(b"".join(_program(machine, _NOTIFY)), b"".join(_program(machine, _ALLOW)))


def _program(machine: Architecture, leave: int) -> bpf.Program:
    number = machine.number
    program = bpf.refuse_other_architectures(machine.audit, _KILL)
    if machine.other_entry is not None:
        program += bpf.at_least(machine.other_entry, _KILL)
    names = [name for name in _UNCONDITIONAL if not (name == "time" and machine.name != "x86_64")]
    program += bpf.any_of([number(name) for name in names], _ALLOW)
    program += bpf.any_of([number("exit_group")], leave)

    # Anonymous private memory that is not code, wherever the kernel puts it. MAP_FIXED could replace other mappings,
    # and pages at addresses that the code chooses, a GiB apart, need two page tables each.
    program += bpf.where(
        number("mmap"),
        [
            Condition(0, (0,), wide=True),
            Condition(2, (0,), mask=_LOW_WORD & ~_PROT_READ_WRITE, wide=True),
            Condition(3, (_MAP_PRIVATE_ANONYMOUS,), mask=_LOW_WORD & ~_MAP_HINTS, wide=True),
        ],
        _ALLOW,
        _NOT_PERMITTED,
    )
    # MADV_DONTNEED would undo changes to a library's pages. MADV_FREE and the rest are not needed.
    program += bpf.where(number("madvise"), [Condition(2, _MADV_HINTS)], _ALLOW, _NOT_PERMITTED)
    # Only waiting and waking: rare commands have had kernel bugs before. Only within the process: a shared futex on a
    # page of a library belongs to all processes that map it, and two runs could talk.
    waiting = Condition(1, _FUTEX_WAIT_AND_WAKE, mask=_LOW_WORD & ~_FUTEX_CLOCK_REALTIME)
    program += bpf.where(number("futex"), [waiting], _ALLOW, _NOT_PERMITTED)
    for name in ("clock_gettime", "clock_getres", "clock_nanosleep"):
        own = Condition(0, (0,), mask=_LOW_WORD & ~_OWN_CLOCKS)
        program += bpf.where(number(name), [own], _ALLOW, _NOT_PERMITTED)
    # Only the control channel can be read, and it is closed before the student's code begins.
    for name in ("read", "sendmsg"):
        program += bpf.where(number(name), [Condition(0, (CONTROL,))], _ALLOW, _NOT_PERMITTED)

    program += bpf.any_of(machine.numbers(FILES), _ACCESS_DENIED)
    program += bpf.any_of(machine.numbers(HOSTILE), _KILL)
    return program + bpf.always(_NOT_PERMITTED)


class Installation(NamedTuple):
    """The calls that install the filter: with an exit notification, and with a plain exit."""

    notifying: tuple[object, ...]
    plain: tuple[object, ...]


def prepare(filter: Filter) -> Installation:
    """Prepare to put a process under the filter, for good. Needs no_new_privs."""
    return Installation(installing(filter.notifying, _NEW_LISTENER), installing(filter.plain))


def install(installation: Installation) -> int | None:
    """Put this process under the filter.

    :return: the descriptor of the exit notification, or None if the kernel has none
    :raises OSError: if there is no seccomp
    """
    notifying, plain = installation
    listener = kernel.attempt(notifying)
    if listener >= 0:
        return listener
    # EINVAL: a kernel (or gVisor) without notifications. EBUSY: a process above this one listens already.
    if listener not in (-errno.EINVAL, -errno.EBUSY):
        raise OSError(-listener, os.strerror(-listener))
    kernel.make((kernel.Call(plain),))
    return None


def installing(program: bytes, flags: int = 0) -> tuple[object, ...]:
    """Prepare the call that puts a process under a program."""
    reference = ctypes.byref(_Program(len(program) // 8, program))
    return (kernel.architecture().number("seccomp"), _SET_MODE_FILTER, flags, reference)
