"""The first lock: which system calls a child may still make. All others are refused, some are deadly.

A warm child that computes gradients asks the kernel for memory, writes to what it already holds, and leaves.
So nothing that opens, looks up, connects, starts, signals or maps code is on the list, and Landlock and all
that comes after it are second locks.

The child's last call, exit_group, is not let through but *held at the door*: the kernel tells the trusted
side, with the exit code, and keeps the child from ever running another instruction. So the result can be read
at once, while the tear-down of the dead address space (4 ms, more than the run itself) happens off the path.
Where the kernel cannot do that, the child leaves by the plain exit and the trusted side waits for its death.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import struct
from dataclasses import dataclass
from typing import Final

from grader.sandbox import bpf, kernel
from grader.sandbox.bpf import Test
from grader.sandbox.syscalls import FILES, HOSTILE, Architecture

# The child's descriptors: 0 to 2 are the null device, and this one is closed before the student's code
# begins.
CONTROL: Final = 3

# linux/seccomp.h
_KILL: Final = 0x8000_0000  # SECCOMP_RET_KILL_PROCESS
_HOLD: Final = 0x7FC0_0000  # SECCOMP_RET_USER_NOTIF
_ALLOW: Final = 0x7FFF_0000  # SECCOMP_RET_ALLOW
_NOT_PERMITTED: Final = 0x0005_0000 | errno.EPERM  # SECCOMP_RET_ERRNO
_ACCESS_DENIED: Final = 0x0005_0000 | errno.EACCES
_NO_SUCH_CALL: Final = 0x0005_0000 | errno.ENOSYS
_SET_MODE_FILTER: Final = 1
_NEW_LISTENER: Final = 1 << 3

# Harmless without conditions: they touch only memory, time and randomness that the process has anyway.
_FREE: Final = (
    "brk", "munmap",  # memory, bounded by the rlimits. Nothing can be mapped as code in a hole that was made
    "gettimeofday", "time",  # mostly answered without the kernel
    "nanosleep", "restart_syscall", "sched_yield",  # waiting; the wall limit ends it
    "getrandom",  # numpy's and Python's unseeded generators
    "getpid", "gettid",  # its own names, which it can do nothing with
    "write",  # to the null device: no other descriptor is left
    "close",
    "exit",
)  # fmt: skip

_PROT_READ_WRITE: Final = 0x1 | 0x2
_MAP_PRIVATE_ANONYMOUS: Final = 0x02 | 0x20
_MAP_HARMLESS: Final = 0x4000 | 0x20000  # MAP_NORESERVE, MAP_STACK: hints that allocators give
_MADV_HINTS: Final = (0, 1, 2, 14, 15)  # NORMAL, RANDOM, SEQUENTIAL, HUGEPAGE, NOHUGEPAGE
_FUTEX_CLOCK_REALTIME: Final = 0x100
_FUTEX_WAIT_AND_WAKE: Final = (0x80, 0x81, 0x89, 0x8A)  # WAIT, WAKE, WAIT_BITSET, WAKE_BITSET, all of them PRIVATE
_CLOCKS_OF_OUR_OWN: Final = 0xF  # 0 to 15. A negative one is the processor time of any process, by its number

_LOW_WORD: Final = 0xFFFF_FFFF


class _Program(ctypes.Structure):
    """struct sock_fprog { unsigned short len; struct sock_filter *filter; }"""

    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


@dataclass(frozen=True, slots=True)
class Filter:
    """The two programs: with the last call held at the door, and with a plain exit."""

    held: bytes
    plain: bytes


def build(machine: Architecture) -> Filter:
    """The filter for a machine. Takes a millisecond: done once, in the zygote."""
    return Filter(b"".join(_program(machine, _HOLD)), b"".join(_program(machine, _ALLOW)))


def _program(machine: Architecture, leave: int) -> bpf.Program:
    number = machine.number
    program = bpf.refuse_other_architectures(machine.audit, _KILL)
    if machine.other_entry is not None:
        program += bpf.at_least(machine.other_entry, _KILL)
    free = [name for name in _FREE if not (name == "time" and machine.name != "x86_64")]
    program += bpf.any_of([number(name) for name in free], _ALLOW)
    program += bpf.any_of([number("exit_group")], leave)

    # Anonymous private memory that is not code, wherever the kernel puts it: MAP_FIXED could replace what is
    # there.
    program += bpf.where(
        number("mmap"),
        [
            Test(2, (0,), mask=_LOW_WORD & ~_PROT_READ_WRITE, wide=True),
            Test(3, (_MAP_PRIVATE_ANONYMOUS,), mask=_LOW_WORD & ~_MAP_HARMLESS, wide=True),
        ],
        _ALLOW,
        _NOT_PERMITTED,
    )
    # MADV_DONTNEED would undo what was written into a library's pages, MADV_FREE and the rest are not needed.
    program += bpf.where(number("madvise"), [Test(2, _MADV_HINTS)], _ALLOW, _NOT_PERMITTED)
    # Waiting and waking only: the exotic commands have been the way into kernels before. Within the process only:
    # on a page of a library a shared futex is one for all who have it mapped, and two runs could talk.
    waiting = Test(1, _FUTEX_WAIT_AND_WAKE, mask=_LOW_WORD & ~_FUTEX_CLOCK_REALTIME)
    program += bpf.where(number("futex"), [waiting], _ALLOW, _NOT_PERMITTED)
    for name in ("clock_gettime", "clock_getres", "clock_nanosleep"):
        own = Test(0, (0,), mask=_LOW_WORD & ~_CLOCKS_OF_OUR_OWN)
        program += bpf.where(number(name), [own], _ALLOW, _NOT_PERMITTED)
    # Only the control channel can be read from, and it is closed before the student's code begins.
    for name in ("read", "sendmsg"):
        program += bpf.where(number(name), [Test(0, (CONTROL,))], _ALLOW, _NOT_PERMITTED)

    program += bpf.any_of(machine.numbers(FILES), _ACCESS_DENIED)
    program += bpf.any_of(machine.numbers(HOSTILE), _KILL)
    return program + bpf.always(_NOT_PERMITTED)


def install(filter: Filter) -> int | None:
    """Put this process under the filter, for good. Needs no_new_privs.

    :return: the descriptor on which the trusted side learns of the child's last call, or None where the
    kernel has
        no such thing
    :raises OSError: there is no seccomp here
    """
    try:
        return _install(filter.held, _NEW_LISTENER)
    except OSError as error:
        # EINVAL: a kernel (or gVisor) without listeners; EBUSY: somebody above us listens already.
        if error.errno not in (errno.EINVAL, errno.EBUSY):
            raise
    _install(filter.plain, 0)
    return None


def _install(program: bytes, flags: int) -> int:
    reference = ctypes.byref(_Program(len(program) // 8, program))
    return kernel.call(kernel.architecture().number("seccomp"), _SET_MODE_FILTER, flags, reference)


# struct seccomp_notif { u64 id; u32 pid; u32 flags; struct seccomp_data { int nr; u32 arch; u64 ip; u64
# args[6]; } }
_NOTIFICATION: Final = struct.Struct("=QIIiIQ6Q")
_RECEIVE: Final = 0xC050_2100  # SECCOMP_IOCTL_NOTIF_RECV


def exit_code_at_the_door(listener: int) -> int:
    """The exit code of a child that is held at its last call. Call it when the listener is readable.

    :raises OSError: the child is gone after all (it was killed in the meantime)
    """
    answer = fcntl.ioctl(listener, _RECEIVE, bytes(_NOTIFICATION.size))
    code: int = _NOTIFICATION.unpack(answer)[6]
    return code & 0xFF
