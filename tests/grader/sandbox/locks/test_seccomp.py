"""The filter, run by an interpreter of BPF: every call on both architectures, and the arguments that matter."""

from __future__ import annotations

import ctypes
import errno
import os
import re
import struct
from pathlib import Path

import pytest

from grader.sandbox.locks import bpf, kernel, seccomp
from grader.sandbox.locks.syscalls import ARCHITECTURES, FILES, HOSTILE, LOCK_IN, NEEDED, Architecture

ALLOW, NOTIFY, KILL = 0x7FFF_0000, 0x7FC0_0000, 0x8000_0000
EPERM, EACCES = 0x0005_0000 | errno.EPERM, 0x0005_0000 | errno.EACCES
# GROWSDOWN, LOCKED, POPULATE, 32BIT, NONBLOCK, HUGETLB, SYNC, FIXED_NOREPLACE, UNINITIALIZED
MAP_FLAGS = (0x100, 0x2000, 0x8000, 0x40, 0x10000, 0x40000, 0x80000, 0x100000, 0x4000000)
BOTH = pytest.mark.parametrize("machine", ARCHITECTURES.values(), ids=ARCHITECTURES)


def decide(program: bytes, number: int, audit: int, *arguments: int) -> int:
    """What the filter says to a call."""
    padded = (*(argument % 2**64 for argument in arguments), *(0,) * (6 - len(arguments)))
    data = struct.pack("=iIQ6Q", ctypes.c_int(number).value, audit, 0, *padded)
    accumulator, at = 0, 0
    while True:
        code, if_true, if_false, k = struct.unpack_from("=HBBI", program, at * 8)
        at += 1
        match code:
            case 0x20:
                (accumulator,) = struct.unpack_from("=I", data, k)
            case 0x54:
                accumulator &= k
            case 0x05:
                at += k
            case 0x15:
                at += if_true if accumulator == k else if_false
            case 0x35:
                at += if_true if accumulator >= k else if_false
            case 0x06:
                return int(k)
            case _:
                raise AssertionError(f"unknown instruction {code:#x}")


def ask(machine: Architecture, name: str, *arguments: int) -> int:
    return decide(seccomp.build(machine).notifying, machine.number(name), machine.audit, *arguments)


@BOTH
def test_lists(machine: Architecture) -> None:
    filter = seccomp.build(machine)
    for number in machine.numbers(FILES):
        assert decide(filter.notifying, number, machine.audit) == EACCES
    for number in machine.numbers(HOSTILE):
        assert decide(filter.notifying, number, machine.audit) == KILL
    known = {*machine.numbers(FILES), *machine.numbers(HOSTILE), *machine.numbers(NEEDED)}
    for number in {*range(600), 1 << 29} - known:
        assert decide(filter.notifying, number, machine.audit) == EPERM
    assert decide(filter.notifying, machine.number("exit_group"), machine.audit) == NOTIFY
    assert decide(filter.plain, machine.number("exit_group"), machine.audit) == ALLOW


# Spelled out once more, so that none can leave the table unnoticed.
DEADLY = """ptrace process_vm_readv process_vm_writev process_madvise pidfd_getfd kcmp bpf perf_event_open userfaultfd
    io_uring_setup io_uring_enter io_uring_register io_setup io_submit unshare setns mount umount2 pivot_root chroot
    fsopen fsconfig fsmount fspick move_mount open_tree mount_setattr init_module finit_module delete_module kexec_load
    kexec_file_load reboot swapon swapoff settimeofday clock_settime clock_adjtime adjtimex syslog add_key request_key
    keyctl name_to_handle_at open_by_handle_at fanotify_init fanotify_mark personality seccomp landlock_create_ruleset
    landlock_add_rule landlock_restrict_self memfd_secret remap_file_pages vmsplice rt_sigreturn iopl ioperm modify_ldt
    """


def test_no_call_leaves_the_tables() -> None:
    assert not set(DEADLY.split()) - set(HOSTILE)
    assert len(HOSTILE) >= 70 and len(FILES) >= 59
    assert sum(row[1] is not None for row in HOSTILE.values()) >= 65


def test_a_block_holds_no_more_than_a_jump_can_reach() -> None:
    assert len(bpf.any_of(range(255), 0)) == 257
    with pytest.raises(ValueError, match="at most 255"):
        bpf.any_of(range(256), 0)


@BOTH
def test_few_are_allowed(machine: Architecture) -> None:
    filter = seccomp.build(machine)
    allowed = [number for number in range(600) if decide(filter.notifying, number, machine.audit) == ALLOW]
    assert len(allowed) <= 18


@BOTH
def test_few_calls_are_allowed_unconditionally(machine: Architecture) -> None:
    filter = seccomp.build(machine)

    allowed = {
        name for name, row in NEEDED.items() if row[machine.column] and ask(machine, name, *(2**64 - 1,) * 6) == ALLOW
    }

    assert allowed - {"time"} == {
        "brk", "munmap", "gettimeofday", "nanosleep", "restart_syscall", "sched_yield", "getrandom", "getpid", "gettid",
        "write", "close", "exit",
    }  # fmt: skip
    assert filter.notifying != filter.plain


@BOTH
def test_other_architectures_and_entries_are_deadly(machine: Architecture) -> None:
    program = seccomp.build(machine).notifying
    for audit in (0x4000_0003, 0x4000_0028, 0xC000_003E, 0xC000_00B7):  # i386, arm, x86_64, aarch64
        if audit != machine.audit:
            assert decide(program, machine.number("write"), audit) == KILL
    if machine.name == "x86_64":
        assert decide(program, 0x4000_0000 | 1, machine.audit) == KILL  # x32
        assert decide(program, -1, machine.audit) == KILL


@BOTH
@pytest.mark.parametrize(
    ("call", "arguments", "expected"),
    [
        ("mmap", (0, 4096, 3, 0x22), ALLOW),
        ("mmap", (0, 4096, 0, 0x4022), ALLOW),
        ("mmap", (0, 4096, 3, 0x20022), ALLOW),
        ("mmap", (0, 4096, 7, 0x22), EPERM),  # PROT_EXEC
        ("mmap", (0, 4096, 4, 0x22), EPERM),
        ("mmap", (0, 4096, 3 | 1 << 32, 0x22), EPERM),
        ("mmap", (0, 4096, 3, 0x21), EPERM),  # MAP_SHARED
        ("mmap", (0, 4096, 3, 0x02), EPERM),  # of a file
        ("mmap", (0, 4096, 3, 0x32), EPERM),  # MAP_FIXED
        ("mmap", (0, 4096, 3, 0x22 | 1 << 33), EPERM),
        *(("mmap", (0, 4096, 3, 0x22 | flag), EPERM) for flag in MAP_FLAGS),
        ("mmap", (0, 4096, 0x01000003, 0x22), EPERM),  # PROT_GROWSDOWN
        *(("madvise", (0, 4096, hint), ALLOW) for hint in (0, 1, 2, 14, 15)),
        *(("madvise", (0, 4096, advice), EPERM) for advice in (3, 5, 6, 7, *range(9, 14), *range(16, 26), 100, 101)),
        ("madvise", (0, 4096, 4), EPERM),  # MADV_DONTNEED
        ("madvise", (0, 4096, 8), EPERM),  # MADV_FREE
        ("madvise", (0, 4096, 4 | 1 << 32), EPERM),  # the kernel would read 4
        ("futex", (0, 0x81), ALLOW),
        ("futex", (0, 0x80), ALLOW),
        ("futex", (0, 0x189), ALLOW),  # WAIT_BITSET by the wall clock
        ("futex", (0, 0), EPERM),  # WAIT, shared
        ("futex", (0, 1), EPERM),  # WAKE, shared
        ("futex", (0, 0x8A), ALLOW),  # WAKE_BITSET
        ("futex", (0, 9), EPERM),  # WAIT_BITSET, shared
        ("futex", (0, 0x281), EPERM),
        *(("futex", (0, 0x80 | command), EPERM) for command in (2, *range(4, 9), 11, 12, 13)),
        ("futex", (0, 0x83), EPERM),  # REQUEUE
        ("futex", (0, 0x86), EPERM),  # LOCK_PI
        ("clock_gettime", (1,), ALLOW),
        ("clock_gettime", (-14,), EPERM),  # the processor time of process 1
        ("clock_gettime", (15,), ALLOW),
        ("clock_gettime", (16,), EPERM),
        ("clock_getres", (1,), ALLOW),
        ("clock_nanosleep", (16,), EPERM),
        ("clock_getres", (-14,), EPERM),
        ("clock_nanosleep", (0,), ALLOW),
        ("clock_nanosleep", (-14,), EPERM),
        ("read", (3,), ALLOW),
        ("read", (0,), EPERM),
        ("read", (4,), EPERM),
        ("read", (3 | 1 << 32,), ALLOW),  # the kernel reads 3
        ("sendmsg", (3,), ALLOW),
        ("sendmsg", (1,), EPERM),
    ],
)
def test_conditions(machine: Architecture, call: str, arguments: tuple[int, ...], expected: int) -> None:
    assert ask(machine, call, *arguments) == expected


@pytest.mark.parametrize(
    ("refusal", "exit_code"), [(errno.EINVAL, 7), (errno.EBUSY, 7), (errno.EPERM, 8), (errno.ENOSYS, 8)]
)
def test_a_kernel_without_listeners_gets_the_plain_filter(refusal: int, exit_code: int) -> None:
    machine = kernel.architecture()
    no_listener = bpf.Condition(1, (0,), mask=0xFFFF_FFFF)
    outer = bpf.refuse_other_architectures(machine.audit, KILL)
    outer += bpf.where(machine.number("seccomp"), [no_listener], ALLOW, 0x0005_0000 | refusal)
    installation = seccomp.prepare(seccomp.build(machine))

    process = os.fork()
    if process == 0:
        kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)
        kernel.make([kernel.Call(seccomp.installing(b"".join(outer + bpf.always(ALLOW))))])
        try:
            listener = seccomp.install(installation)
        except OSError as error:
            os._exit(8 if error.errno == refusal else 2)
        try:
            Path("/").stat()
        except PermissionError:
            os._exit(7 if listener is None else 1)
        os._exit(3)  # there is no filter

    # Under the filter with a listener that nobody has, the child could not leave.
    assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == exit_code


@pytest.mark.parametrize(
    ("column", "header", "pattern"),
    [
        (0, "/usr/include/x86_64-linux-gnu/asm/unistd_64.h", r"#define\s+__NR_(\w+)\s+(\d+)"),
        (1, "/usr/include/asm-generic/unistd.h", r"#define\s+__NR(?:3264)?_(\w+)\s+(\d+)"),
    ],
)
def test_numbers_are_the_kernels(column: int, header: str, pattern: str) -> None:
    path = Path(header)
    if not path.exists():
        pytest.skip(f"{header} is not installed")
    theirs = {name: int(number) for name, number in re.findall(pattern, path.read_text())}
    if "fstatat" in theirs:
        theirs["newfstatat"] = theirs["fstatat"]
    compared = 0
    for table in (NEEDED, LOCK_IN, FILES, HOSTILE):
        for name, row in table.items():
            if name in theirs:
                assert row[column] == theirs[name], name
                compared += 1
            elif row[column] is not None:
                assert name == "fchmodat2", name  # newer than some headers
    assert compared > 100


def test_an_unknown_machine_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    class Other:
        machine = "riscv64"

    monkeypatch.setattr(os, "uname", Other)
    with pytest.raises(OSError, match="no system call table for riscv64"):
        kernel.architecture()
