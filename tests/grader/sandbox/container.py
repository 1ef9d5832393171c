"""Run a program as a container would: ``python -m tests.grader.sandbox.container PROGRAM ARGUMENTS…``.

An unprivileged user, no capability and none to be had, no-new-privileges, and the refusals of Docker's
default seccomp profile for a process without capabilities (Engine 20.10.18 and later: landlock_*, seccomp,
memfd_create, pidfd_open and ptrace pass; namespaces, mounts, modules, keys, bpf and their kin do not).
"""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path

from grader.sandbox.locks import bpf, jail, kernel, seccomp
from grader.sandbox.locks.bpf import Condition
from grader.sandbox.locks.syscalls import HOSTILE

_ALLOW = 0x7FFF_0000
_NOT_PERMITTED = 0x0005_0000 | errno.EPERM
_NO_SUCH_CALL = 0x0005_0000 | errno.ENOSYS
_PASS_IN_DOCKER = {
    "ptrace",
    "process_vm_readv",
    "process_vm_writev",
    "pidfd_getfd",
    "process_madvise",
    "kcmp",
    "seccomp",
    "landlock_create_ruleset",
    "landlock_add_rule",
    "landlock_restrict_self",
    "io_setup",
    "io_submit",
    "memfd_secret",
    "remap_file_pages",
    "rt_sigreturn",
    "vmsplice",
    "modify_ldt",
    "adjtimex",
    "clock_adjtime",
}
_NAMESPACES = 0x7E02_0000  # CLONE_NEW*, which clone refuses without CAP_SYS_ADMIN
_CLONE = {"x86_64": 56, "aarch64": 220}
_CLONE3 = 435


def profile() -> bytes:
    """Docker's profile, as refusals: it lists what is allowed, which is nearly all that is left."""
    machine = kernel.architecture()
    refused = [name for name in HOSTILE if name not in _PASS_IN_DOCKER]
    numbers = [number for name in refused if (number := HOSTILE[name][machine.column]) is not None]
    program = bpf.refuse_other_architectures(machine.audit, _NOT_PERMITTED)
    program += bpf.any_of(numbers, _NOT_PERMITTED)
    program += bpf.any_of([_CLONE3], _NO_SUCH_CALL)
    program += bpf.where(_CLONE[machine.name], [Condition(0, (0,), mask=_NAMESPACES)], _ALLOW, _NOT_PERMITTED)
    return b"".join(program + bpf.always(_ALLOW))


def confine() -> None:
    """Put this process into it."""
    if os.geteuid() == 0:
        _drop_bounding_set()
        if _open_to_all(Path(sys.executable).resolve()) and _open_to_all(Path(__file__).resolve()):
            os.setgroups([])
            os.setresgid(jail.NOBODY, jail.NOBODY, jail.NOBODY)
            os.setresuid(jail.NOBODY, jail.NOBODY, jail.NOBODY)
    kernel.make([jail.no_capabilities()])
    kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)
    kernel.make([kernel.Call(seccomp.installing(profile()))])


def _drop_bounding_set() -> None:
    cap_bset_drop = 24
    for capability in range(64):
        try:
            kernel.prctl(cap_bset_drop, capability)
        except OSError:
            break


def _open_to_all(path: Path) -> bool:
    """Whether a stranger could come here; the Python of a developer may be in their home."""
    return all(each.stat().st_mode & 0o001 for each in path.parents)


def main() -> None:
    confine()
    # The dynamic linker and Python look at these; nothing else of ours is of use in there.
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "PYTHONPATH") if name in os.environ}
    os.execvpe(sys.argv[1], sys.argv[1:], {**kept, "HOME": "/nonexistent", "PYTHONDONTWRITEBYTECODE": "1"})


if __name__ == "__main__":
    main()
