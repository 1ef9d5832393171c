"""How a child locks itself in, one function a layer, in the order in which they are applied.

Each function raises where its layer cannot be had, and the child then dies before any code reaches it.
`attest` tries the locks from within, after the last one but seccomp: what it finds goes to the trusted side
ahead of the first foreign instruction, and is what the doctor reads for the layers that seccomp covers up.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import select
import signal
import stat
from dataclasses import dataclass
from enum import IntFlag
from typing import Final

from grader.sandbox import kernel, landlock, seccomp

# The kernel's overflow user and group: they own nothing. Only a zygote that runs as root can, and has to, go
# there.
NOBODY: Final = 65534
# The zygote allows itself no more than this, so that a child knows where to look for what it has inherited.
MOST_DESCRIPTORS: Final = 256


class Layer(IntFlag):
    """What `attest` can vouch for, as bits of the message that a child sends when it is ready."""

    SESSION = 1
    DIES_WITH_ZYGOTE = 2
    NOT_DUMPABLE = 4
    DESCRIPTORS = 8
    PRIVILEGES = 16
    RLIMITS = 32
    LANDLOCK = 64
    SECCOMP = 128  # the filter was taken by the kernel; that it holds is for the doctor to try
    HELD_AT_THE_DOOR = 256


@dataclass(frozen=True, slots=True)
class KernelLimits:
    """Those limits that the kernel enforces; whole seconds, and bytes over what the zygote holds."""

    cpu_seconds: int
    data_bytes: int
    address_bytes: int
    stack_bytes: int
    file_bytes: int
    files: int
    processes: int


@dataclass(frozen=True, slots=True)
class Walls:
    """What the zygote works out once for all its children. `without` names layers left off: tests only."""

    filter: seccomp.Filter
    landlock: int  # version of the interface, 0 for none
    null: int  # descriptor of the null device
    without: frozenset[str] = frozenset()


def lock_in(walls: Walls, limits: KernelLimits, zygote: int) -> tuple[Layer, int | None]:
    """Apply every layer to this process, for good. The control channel is at descriptor CONTROL.

    :return: the layers that were tried and hold, and the listener for the child's last call
    """
    wanted = {} if "rlimits" in walls.without else _rlimits(limits)
    if "session" not in walls.without:
        own_session()
        first_in_line_for_the_oom_killer()
    if "descriptors" not in walls.without:
        close_descriptors(walls.null)
    kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)
    if "privileges" not in walls.without:
        drop_privileges()
    if "session" not in walls.without:  # after the change of user, which clears both
        die_with(zygote)
        kernel.prctl(kernel.PR_SET_DUMPABLE, 0)  # no core file, no ptrace, no /proc/PID/mem for others of our user
    for which, values in wanted.items():
        resource.setrlimit(which, values)
    if walls.landlock and "landlock" not in walls.without:
        landlock.forbid_everything(walls.landlock)
    layers = Layer(0) if "attest" in walls.without else attest(wanted)
    listener = None
    if "seccomp" not in walls.without:
        listener = seccomp.install(walls.filter)
        layers |= Layer.SECCOMP
        if listener is not None:
            layers |= Layer.HELD_AT_THE_DOOR
    return layers, listener


def own_session() -> None:
    """No terminal, and nobody to share a process group's signals with."""
    os.setsid()


def first_in_line_for_the_oom_killer() -> None:
    """When the machine is out of memory this process goes, not the server. Best effort: needs /proc."""
    with contextlib.suppress(OSError):
        score = os.open("/proc/self/oom_score_adj", os.O_WRONLY)
        os.write(score, b"1000")
        os.close(score)


def close_descriptors(null: int) -> None:
    """Have the null device as 0 to 2, keep CONTROL, and close all others, whatever they are."""
    for standard in (0, 1, 2):
        os.dup2(null, standard)
    os.closerange(seccomp.CONTROL + 1, MOST_DESCRIPTORS)


def drop_privileges() -> None:
    """Be nobody where that can be had, and hold no capability in any case."""
    if os.geteuid() == 0:
        # Refused to a container's root without CAP_SETUID: a name without power, once the capabilities are
        # gone.
        with contextlib.suppress(PermissionError):
            os.setgroups([])
            os.setresgid(NOBODY, NOBODY, NOBODY)
            os.setresuid(NOBODY, NOBODY, NOBODY)
    drop_capabilities()


def die_with(zygote: int) -> None:
    """SIGKILL when the zygote dies. It may have died before this line: then leave now."""
    kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != zygote:
        raise OSError("the zygote is gone")


def attest(wanted: dict[int, tuple[int, int]]) -> Layer:
    """Try each lock from within."""
    found = 0  # plain numbers: the arithmetic of flags is slow, and a child does this before each run
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


def _rlimits(limits: KernelLimits) -> dict[int, tuple[int, int]]:
    """Soft and hard, never above what is in force already. CPU: the hard limit is a second later, so that
    SIGXCPU tells the end of the processor time from any other SIGKILL.
    """
    address, data = _memory_held()
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


def _memory_held() -> tuple[int, int]:
    """Bytes of all mappings of this process, and of its private writable ones (with the stack, which the
    kernel counts apart: a little more than it need be).
    """
    file = os.open("/proc/self/statm", os.O_RDONLY)
    pages = os.read(file, 256).split()
    os.close(file)
    size = resource.getpagesize()
    return int(pages[0]) * size, int(pages[5]) * size


def _only_null_and_control() -> bool:
    if not all(stat.S_ISCHR(os.fstat(standard).st_mode) for standard in (0, 1, 2)):
        return False
    # poll(2) says which are closed, many at a time, but at most as many as RLIMIT_NOFILE.
    at_once = min(MOST_DESCRIPTORS, resource.getrlimit(resource.RLIMIT_NOFILE)[0])
    for first in range(seccomp.CONTROL + 1, MOST_DESCRIPTORS, at_once):
        block = range(first, min(first + at_once, MOST_DESCRIPTORS))
        poll = select.poll()
        for descriptor in block:
            poll.register(descriptor, 0)
        if [event for _, event in poll.poll(0)] != [select.POLLNVAL] * len(block):
            return False
    return True


class _Header(ctypes.Structure):
    """struct __user_cap_header_struct"""

    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _Sets(ctypes.Structure):
    """struct __user_cap_data_struct[2]: effective, permitted, inheritable, low and high halves"""

    _fields_ = (("sets", ctypes.c_uint32 * 6),)


_OURSELVES: Final = _Header(0x2008_0522, 0)  # _LINUX_CAPABILITY_VERSION_3, this process
_NO_CAPABILITIES: Final = _Sets()


def drop_capabilities() -> None:
    """None effective, none permitted, none to be inherited."""
    kernel.call(kernel.architecture().number("capset"), ctypes.byref(_OURSELVES), ctypes.byref(_NO_CAPABILITIES))


def _capabilities() -> int:
    """Effective and permitted capabilities of this process, as one number; 0 is none."""
    sets = _Sets()
    kernel.call(kernel.architecture().number("capget"), ctypes.byref(_OURSELVES), ctypes.byref(sets))
    effective_low, permitted_low, _, effective_high, permitted_high, _ = sets.sets
    return int(effective_low | permitted_low | effective_high | permitted_high)
