"""How a child locks itself in: one function per layer, in the order in which they are applied.

A child is a fork, and copies each page that it writes to; Python writes to whatever it uses. So the zygote prepares the
system calls of all layers once, and a child only makes them, one after the other. ``attest`` tries the locks from
within, after all but seccomp. The trusted side gets its findings before the first line of student code, and the doctor
reads them for the layers that seccomp hides.

If a layer is not available, a call fails, and the child dies before any code reaches it.
"""

from __future__ import annotations

import ctypes
import errno
import os
import resource
import signal
import struct
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple

from grader.sandbox.limits import KernelLimits
from grader.sandbox.locks import kernel, landlock, seccomp
from grader.sandbox.locks.kernel import Call, Look
from grader.sandbox.protocol import Layer

# The kernel's overflow user and group: they own nothing. Only a zygote that runs as root can change to it, and must.
NOBODY: Final = 65534
# The zygote allows itself no more than this, so that a child knows which descriptors it may have inherited.
DESCRIPTORS_MAX: Final = 256

_AT_FDCWD: Final = -100  # linux/fcntl.h
_CLOSED: Final = struct.pack("=ihh", 0, 0, 0x20)  # struct pollfd: descriptor, events, POLLNVAL
_STAT_BYTES, _STAT_IDENTITY_BYTES = 256, 40  # struct stat begins with device, inode, links, mode and owner
_CAPABILITY_VERSION_3: Final = 0x2008_0522
_CAPABILITY_BYTES: Final = 24  # effective, permitted and inheritable; low halves, then high halves


@dataclass(frozen=True, slots=True)
class LockPlan:
    """What the zygote prepares once for all its children."""

    filter: seccomp.Filter
    landlock: int  # version of the interface, 0 for none
    rules: int | None  # descriptor of Landlock's rule set
    null: int  # descriptor of the null device
    without: frozenset[str] = frozenset()  # layers left off: tests only


class Evidence(NamedTuple):
    """What ``attest`` looks at."""

    session: tuple[tuple[object, ...], tuple[object, ...]]  # two calls with the same result: session, process
    layers: tuple[tuple[int, tuple[Look, ...]], ...]  # by bit of ``Layer``
    root: tuple[object, ...]  # a call that opens a folder


class Locks(NamedTuple):
    """The prepared lock-in of all children that have the same limits."""

    score: tuple[tuple[object, ...], int, object, int] | None  # opens a file; what to write there, as a system call
    keep: int | None  # close all descriptors from this one on, after Landlock's rule set was used
    before: tuple[Call, ...]
    after: tuple[Call, ...]
    evidence: Evidence | None
    filter: seccomp.Installation | None


def prepare(plan: LockPlan, limits: KernelLimits) -> Locks:
    """Prepare the lock-in of this process's children."""
    without = plan.without
    wanted = {} if "rlimits" in without else _rlimits(limits)
    before = [] if "session" in without else own_session()
    if "descriptors" not in without:
        before += null_descriptors(plan.null)
    before.append(no_new_privileges())
    if plan.rules is not None and "landlock" not in without:
        before.append(landlock.forbidding(plan.rules))
    after = [] if "privileges" in without else privileges()
    if "session" not in without:  # after the change of user, which clears both
        after += death_with_parent(os.getpid())
        # No core file, no ptrace, no /proc/PID/mem for others of our user.
        after.append(Call((_number("prctl"), kernel.PR_SET_DUMPABLE, 0, 0, 0, 0)))
    after += [Call((_number("prlimit64"), 0, which, _pair(values), None)) for which, values in wanted.items()]
    return Locks(
        None if "session" in without else _oom_score(),
        None if "descriptors" in without else seccomp.CONTROL + 1,
        tuple(before),
        tuple(after),
        None if "attest" in without else evidence(wanted, plan.null),
        None if "seccomp" in without else seccomp.prepare(plan.filter),
    )


def lock_in(locks: Locks) -> tuple[int, int | None]:
    """Apply every layer to this process, for good. The control channel is at descriptor ``seccomp.CONTROL``.

    :return: the layers that were tried and hold, as bits of ``Layer``, and the descriptor of the exit notification, or
        None for none
    :raises OSError: if a layer is not available
    """
    score, keep, before, after, looks, filter = locks
    if score is not None:
        prefer_for_oom_killer(score)
    kernel.make(before)
    if keep is not None:
        os.closerange(keep, DESCRIPTORS_MAX)
    kernel.make(after)
    layers = 0 if looks is None else attest(looks)
    if filter is None:
        return layers, None
    listener = seccomp.install(filter)
    return layers | (_SECCOMP if listener is None else _SECCOMP_NOTIFYING), listener


# Plain numbers: arithmetic with flags is slow, and every child does it.
_SECCOMP: Final = Layer.SECCOMP.value
_SECCOMP_NOTIFYING: Final = Layer.SECCOMP.value | Layer.EXIT_NOTIFICATION.value
_SESSION: Final = Layer.SESSION.value
_LANDLOCK: Final = Layer.LANDLOCK.value
_REFUSED: Final = (-errno.EACCES, -errno.EPERM)


def own_session() -> list[Call]:
    """Leave the terminal, and the process group whose signals all its members get."""
    return [Call((_number("setsid"),), None)]


def _oom_score() -> tuple[tuple[object, ...], int, object, int]:
    opening = (_number("openat"), _AT_FDCWD, _text(b"/proc/self/oom_score_adj"), os.O_WRONLY | os.O_CLOEXEC)
    return opening, _number("write"), _text(b"1000"), 4


def prefer_for_oom_killer(score: tuple[tuple[object, ...], int, object, int]) -> None:
    """Have the kernel kill this process, not the server, if memory runs out. Best effort: needs /proc."""
    opening, write, text, length = score
    descriptor = kernel.attempt(opening)
    if descriptor >= 0:
        kernel.attempt((write, descriptor, text, length))
        os.close(descriptor)


def null_descriptors(null: int) -> list[Call]:
    """Put the null device at 0 to 2."""
    return [Call((_number("dup3"), null, standard, 0), standard) for standard in (0, 1, 2)]


def no_new_privileges() -> Call:
    """Have no program that this process could start give it more rights. Landlock and seccomp need that."""
    return Call((_number("prctl"), kernel.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))


def privileges() -> list[Call]:
    """Become the user nobody if this process may, and hold no capability in any case."""
    calls = []
    if os.geteuid() == 0:
        # A container's root without CAP_SETUID may not. It has no power after the capabilities are dropped.
        calls += [
            Call((_number("setgroups"), 0, None), 0, errno.EPERM),
            Call((_number("setresgid"), NOBODY, NOBODY, NOBODY), 0, errno.EPERM),
            Call((_number("setresuid"), NOBODY, NOBODY, NOBODY), 0, errno.EPERM),
        ]
    return [*calls, no_capabilities()]


def no_capabilities() -> Call:
    """Leave no capability effective, permitted or inheritable."""
    return Call((_number("capset"), _this_process(), _text(bytes(_CAPABILITY_BYTES))))


def death_with_parent(parent: int) -> list[Call]:
    """Get SIGKILL when the parent dies. The second call fails if it died before the first."""
    return [
        Call((_number("prctl"), kernel.PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)),
        Call((_number("getppid"),), parent),
    ]


def evidence(wanted: dict[int, tuple[int, int]], null: int) -> Evidence:
    """Prepare what ``attest`` looks at. ``wanted``: soft and hard value by RLIMIT number."""
    prctl, prlimit = _number("prctl"), _number("prlimit64")
    death = ctypes.c_int()
    held = ctypes.create_string_buffer(_CAPABILITY_BYTES)
    layers = {
        Layer.DIES_WITH_ZYGOTE: [
            Look(
                (prctl, kernel.PR_GET_PDEATHSIG, ctypes.byref(death), 0, 0, 0),
                0,
                ctypes.byref(death),
                ctypes.byref(ctypes.c_int(signal.SIGKILL)),
                ctypes.sizeof(death),
            )
        ],
        Layer.NOT_DUMPABLE: [Look((prctl, kernel.PR_GET_DUMPABLE, 0, 0, 0, 0))],
        Layer.DESCRIPTORS: [*_null_devices(null), *_closed_descriptors(dict(wanted))],
        Layer.PRIVILEGES: [
            Look(
                (_number("capget"), _this_process(), ctypes.byref(held)),
                0,
                ctypes.byref(held),
                _text(bytes(_CAPABILITY_BYTES)),
                _CAPABILITY_BYTES,
            ),
            Look((prctl, kernel.PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 1),
        ],
    }
    if wanted:
        layers[Layer.RLIMITS] = []
        for which, values in wanted.items():
            answer = ctypes.byref((ctypes.c_uint64 * 2)())
            layers[Layer.RLIMITS].append(Look((prlimit, 0, which, None, answer), 0, answer, _pair(values), 16))
    return Evidence(
        ((_number("getsid"), 0), (_number("getpid"),)),
        tuple((layer.value, tuple(looks)) for layer, looks in layers.items()),
        (_number("openat"), _AT_FDCWD, _text(b"/"), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC),
    )


def attest(evidence: Evidence) -> int:
    """Try each lock from within, and return those that hold, as bits of ``Layer``."""
    found = 0
    (session, process), layers, root = evidence
    if kernel.attempt(session) == kernel.attempt(process):
        found |= _SESSION
    for layer, looks in layers:
        if kernel.holds(looks):
            found |= layer
    descriptor = kernel.attempt(root)
    if descriptor >= 0:
        os.close(descriptor)
    elif descriptor in _REFUSED:
        found |= _LANDLOCK
    return found


def _null_devices(null: int) -> Iterable[Look]:
    """Look whether 0 to 2 are the null device."""
    buffer = ctypes.create_string_buffer(_STAT_BYTES)
    kernel.make([Call((_number("fstat"), null, ctypes.byref(buffer)))])
    for standard in (0, 1, 2):
        answer = ctypes.byref(ctypes.create_string_buffer(_STAT_BYTES))
        yield Look((_number("fstat"), standard, answer), 0, answer, ctypes.byref(buffer), _STAT_IDENTITY_BYTES)


def _closed_descriptors(wanted: dict[int, tuple[int, int]]) -> Iterable[Look]:
    """Look whether nothing after the control channel is open. ppoll(2) tells which are closed."""
    # It takes at most RLIMIT_NOFILE descriptors in one call.
    files = wanted.get(resource.RLIMIT_NOFILE, resource.getrlimit(resource.RLIMIT_NOFILE))[0]
    block_size = min(DESCRIPTORS_MAX, files)
    at_once = ctypes.byref((ctypes.c_long * 2)(0, 0))
    for first in range(seccomp.CONTROL + 1, DESCRIPTORS_MAX, block_size):
        numbers = range(first, min(first + block_size, DESCRIPTORS_MAX))
        asked = b"".join(struct.pack("=ihh", number, 0, 0) for number in numbers)
        closed = b"".join(struct.pack("=i", number) + _CLOSED[4:] for number in numbers)
        answer = _text(asked)
        count = len(numbers)
        yield Look((_number("ppoll"), answer, count, at_once, None, 0), count, answer, _text(closed), len(closed))


def _rlimits(limits: KernelLimits) -> dict[int, tuple[int, int]]:
    """Soft and hard value by RLIMIT number, never above those already in force.

    The hard limit of processor time is a second later, so that SIGXCPU differs from any other SIGKILL.
    """
    address, data = memory_held()
    both = {
        resource.RLIMIT_DATA: data + limits.data_bytes,
        resource.RLIMIT_AS: address + limits.address_bytes,
        resource.RLIMIT_STACK: limits.stack_bytes,
        resource.RLIMIT_FSIZE: limits.file_bytes,
        resource.RLIMIT_NOFILE: limits.files,
        resource.RLIMIT_NPROC: limits.processes,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_MEMLOCK: 0,
        resource.RLIMIT_MSGQUEUE: 0,
    }
    # gVisor has no limit of message queues. They cannot be reached anyway: seccomp allows none of their calls.
    if not has_rlimit(resource.RLIMIT_MSGQUEUE):
        del both[resource.RLIMIT_MSGQUEUE]
    wanted = {which: (value, value) for which, value in both.items()}
    wanted[resource.RLIMIT_CPU] = (limits.cpu_seconds, limits.cpu_seconds + 1)
    for which, values in wanted.items():
        ceiling = resource.getrlimit(which)[1]
        if ceiling != resource.RLIM_INFINITY:
            wanted[which] = (min(values[0], ceiling), min(values[1], ceiling))
    return wanted


def has_rlimit(which: int, setrlimit: Callable[[int, tuple[int, int]], None] = resource.setrlimit) -> bool:
    """Whether this kernel lets a process set a limit: to what it is."""
    try:
        setrlimit(which, resource.getrlimit(which))
    except (OSError, ValueError):
        return False
    return True


def memory_held(folder: str = "/proc/self") -> tuple[int, int]:
    """Bytes of all mappings of this process, and of its private writable ones.

    The second includes the stack, which the kernel counts apart: slightly more than needed. gVisor leaves it out of
    ``statm``, and tells it in ``status``.
    """
    pages = _read(f"{folder}/statm").split()
    size = resource.getpagesize()
    data = int(pages[5]) * size
    if data == 0:
        lines = _read(f"{folder}/status").splitlines()
        data = sum(int(line.split()[1]) * 1024 for line in lines if line.startswith(b"VmData:"))
    return int(pages[0]) * size, data


def _read(path: str) -> bytes:
    file = os.open(path, os.O_RDONLY)
    try:
        return os.read(file, 8192)
    finally:
        os.close(file)


def _number(name: str) -> int:
    return kernel.architecture().number(name)


def _text(content: bytes) -> object:
    """Return a reference to a copy of some bytes that a call may write to."""
    return ctypes.byref(ctypes.create_string_buffer(content, len(content) + 1))


def _pair(values: tuple[int, int]) -> object:
    """Return a reference to ``struct rlimit64``. RLIM_INFINITY is all ones."""
    return ctypes.byref((ctypes.c_uint64 * 2)(*(value & 0xFFFF_FFFF_FFFF_FFFF for value in values)))


def _this_process() -> object:
    """Return a reference to ``struct __user_cap_header_struct``: version, and 0 for this process."""
    return ctypes.byref((ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0))
