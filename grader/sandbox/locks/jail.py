"""How a child locks itself in: one function per layer, in the order in which they are applied.

A function raises if its layer is not available, and the child then dies before any code reaches it. ``attest`` tries
the locks from within, after all but seccomp. The trusted side gets its findings before the first line of student code,
and the doctor reads them for the layers that seccomp hides.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import select
import signal
import stat
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from grader.sandbox.limits import KernelLimits
from grader.sandbox.locks import kernel, landlock, seccomp
from grader.sandbox.protocol import Layer

# The kernel's overflow user and group: they own nothing. Only a zygote that runs as root can change to it, and must.
NOBODY: Final = 65534
# The zygote allows itself no more than this, so that a child knows which descriptors it may have inherited.
DESCRIPTORS_MAX: Final = 256


@dataclass(frozen=True, slots=True)
class LockPlan:
    """What the zygote prepares once for all its children."""

    filter: seccomp.Filter
    landlock: int  # version of the interface, 0 for none
    null: int  # descriptor of the null device
    without: frozenset[str] = frozenset()  # layers left off: tests only


def lock_in(plan: LockPlan, limits: KernelLimits, zygote: int) -> tuple[Layer, int | None]:
    """Apply every layer to this process, for good. The control channel is at descriptor ``seccomp.CONTROL``.

    :param zygote: its process id
    :return: the layers that were tried and hold, and the descriptor of the exit notification, or None for none
    :raises OSError: if a layer is not available
    """
    wanted = {} if "rlimits" in plan.without else _rlimits(limits)
    if "session" not in plan.without:
        start_own_session()
        prefer_for_oom_killer()
    if "descriptors" not in plan.without:
        close_descriptors(plan.null)
    kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)
    if "privileges" not in plan.without:
        drop_privileges()
    if "session" not in plan.without:  # after the change of user, which clears both
        die_with(zygote)
        kernel.prctl(kernel.PR_SET_DUMPABLE, 0)  # no core file, no ptrace, no /proc/PID/mem for others of our user
    wanted = set_rlimits(wanted)
    if plan.landlock and "landlock" not in plan.without:
        landlock.forbid_everything(plan.landlock)
    layers = Layer(0) if "attest" in plan.without else attest(wanted)
    listener = None
    if "seccomp" not in plan.without:
        listener = seccomp.install(plan.filter)
        layers |= Layer.SECCOMP
        if listener is not None:
            layers |= Layer.EXIT_NOTIFICATION
    return layers, listener


def start_own_session() -> None:
    """Leave the terminal, and the process group whose signals all its members get."""
    os.setsid()


def prefer_for_oom_killer() -> None:
    """Have the kernel kill this process, not the server, if memory runs out. Best effort: needs /proc."""
    with contextlib.suppress(OSError):
        score = os.open("/proc/self/oom_score_adj", os.O_WRONLY)
        os.write(score, b"1000")
        os.close(score)


def close_descriptors(null: int) -> None:
    """Put the null device at 0 to 2, keep the control channel, and close all other descriptors."""
    for standard in (0, 1, 2):
        os.dup2(null, standard)
    os.closerange(seccomp.CONTROL + 1, DESCRIPTORS_MAX)


def drop_privileges() -> None:
    """Become the user nobody if this process may, and hold no capability in any case."""
    if os.geteuid() == 0:
        # A container's root without CAP_SETUID may not. It has no power after the capabilities are dropped.
        with contextlib.suppress(PermissionError):
            os.setgroups([])
            os.setresgid(NOBODY, NOBODY, NOBODY)
            os.setresuid(NOBODY, NOBODY, NOBODY)
    drop_capabilities()


def die_with(zygote: int) -> None:
    """Get SIGKILL when the zygote dies.

    :raises OSError: if it died before this call
    """
    kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != zygote:
        raise OSError("the zygote is gone")


def attest(wanted: dict[int, tuple[int, int]]) -> Layer:
    """Try each lock from within, and return those that hold. ``wanted``: soft and hard value by RLIMIT number."""
    found = 0  # a plain int: arithmetic with flags is slow, and every child does this
    if os.getsid(0) == os.getpid():
        found |= Layer.SESSION.value
    if kernel.parent_death_signal() == signal.SIGKILL:
        found |= Layer.DIES_WITH_ZYGOTE.value
    if kernel.prctl(kernel.PR_GET_DUMPABLE) == 0:
        found |= Layer.NOT_DUMPABLE.value
    if _only_null_and_control():
        found |= Layer.DESCRIPTORS.value
    if _capabilities() == 0 and kernel.prctl(kernel.PR_GET_NO_NEW_PRIVS) == 1:
        found |= Layer.PRIVILEGES.value
    if wanted and all(resource.getrlimit(which) == values for which, values in wanted.items()):
        found |= Layer.RLIMITS.value
    try:
        os.close(os.open("/", os.O_RDONLY | os.O_DIRECTORY))
    except PermissionError:
        found |= Layer.LANDLOCK.value
    return Layer(found)


def set_rlimits(
    wanted: dict[int, tuple[int, int]], setrlimit: Callable[[int, tuple[int, int]], None] = resource.setrlimit
) -> dict[int, tuple[int, int]]:
    """Set soft and hard values by RLIMIT number, and return those that were set.

    gVisor has no limit of message queues. They cannot be reached anyway: seccomp allows none of their calls.

    :raises ValueError: if the kernel refuses any other
    """
    done = {}
    for which, values in wanted.items():
        try:
            setrlimit(which, values)
        except ValueError:
            if which != resource.RLIMIT_MSGQUEUE:
                raise
        else:
            done[which] = values
    return done


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
    wanted = {which: (value, value) for which, value in both.items()}
    wanted[resource.RLIMIT_CPU] = (limits.cpu_seconds, limits.cpu_seconds + 1)
    for which, values in wanted.items():
        ceiling = resource.getrlimit(which)[1]
        if ceiling != resource.RLIM_INFINITY:
            wanted[which] = (min(values[0], ceiling), min(values[1], ceiling))
    return wanted


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


def _only_null_and_control() -> bool:
    """Whether 0 to 2 are character devices, and nothing after the control channel is open."""
    if not all(stat.S_ISCHR(os.fstat(standard).st_mode) for standard in (0, 1, 2)):
        return False
    # poll(2) tells which are closed, but takes at most RLIMIT_NOFILE descriptors in one call.
    block_size = min(DESCRIPTORS_MAX, resource.getrlimit(resource.RLIMIT_NOFILE)[0])
    for first in range(seccomp.CONTROL + 1, DESCRIPTORS_MAX, block_size):
        block = range(first, min(first + block_size, DESCRIPTORS_MAX))
        poll = select.poll()
        for descriptor in block:
            poll.register(descriptor, 0)
        if [event for _, event in poll.poll(0)] != [select.POLLNVAL] * len(block):
            return False
    return True


class _Header(ctypes.Structure):
    """``struct __user_cap_header_struct``."""

    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _Sets(ctypes.Structure):
    """``struct __user_cap_data_struct[2]``: effective, permitted, inheritable; low halves, then high halves."""

    _fields_ = (("sets", ctypes.c_uint32 * 6),)


_THIS_PROCESS: Final = _Header(0x2008_0522, 0)  # _LINUX_CAPABILITY_VERSION_3, this process
_NO_CAPABILITIES: Final = _Sets()


def drop_capabilities() -> None:
    """Leave no capability effective, permitted or inheritable."""
    kernel.call(kernel.architecture().number("capset"), ctypes.byref(_THIS_PROCESS), ctypes.byref(_NO_CAPABILITIES))


def _capabilities() -> int:
    """Return the effective and permitted capabilities of this process as one bit set; 0 is none."""
    sets = _Sets()
    kernel.call(kernel.architecture().number("capget"), ctypes.byref(_THIS_PROCESS), ctypes.byref(sets))
    effective_low, permitted_low, _, effective_high, permitted_high, _ = sets.sets
    return int(effective_low | permitted_low | effective_high | permitted_high)
