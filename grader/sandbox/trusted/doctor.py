"""The doctor: tries every lock, on this machine and now, with real children of a real sandbox.

    python -m grader.sandbox.trusted.doctor

Each probe is a small hostile program, or reads what a child found when it tried its own locks. If a required probe
fails, no code may be graded here. An optional one tells which second lock is missing.
"""

from __future__ import annotations

import ctypes
import platform
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import torch

from grader.sandbox.job import Job, Run, RunStatus, SandboxFault, Slot
from grader.sandbox.limits import MIB, Limits
from grader.sandbox.protocol import Layer
from grader.sandbox.trusted.sandbox import Sandbox

_SYSLOG_ACTION_READ_ALL: Final = 3  # syslog(2)
_KERNEL_LOG_BYTES: Final = 4096
_NO_STATE: Final = b"\x02\0\0\0\0\0\0\0{}"
_SLOT: Final = Slot("answer", 64)
_CPU_LIMITS: Final = Limits(cpu_seconds=1, wall_seconds=60)  # a busy machine gives a processor second slowly
_WALL_LIMITS: Final = Limits(wall_seconds=0.25)
_PAGE_TABLE_LIMITS: Final = Limits(data_bytes=16 * MIB)
_MAKE_PAGE_TABLES: Final = """
libc = ctypes.CDLL(None)
libc.mmap.restype = ctypes.c_void_p
libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
for _ in range(20_000):
    at = libc.mmap(None, ctypes.c_size_t(1 << 22), 1, 0x22, -1, ctypes.c_long(0))
    ctypes.string_at(at, 1)
    libc.munmap(at + 4096, (1 << 22) - 4096)
print('OPEN')
"""
# A child's environment: the pinned numerics, and the variables that Python and torch set themselves.
_ENVIRONMENT: Final = (
    "ATEN_CPU_CAPABILITY MKL_CBWR OMP_NUM_THREADS MKL_NUM_THREADS OPENBLAS_NUM_THREADS PYTHONHASHSEED "
    "LC_CTYPE KMP_INIT_AT_FORK KMP_DUPLICATE_LIB_OK TORCHINDUCTOR_CACHE_DIR"
)

# Runs attempts and prints those that succeeded. A lock refuses with an OSError, and nothing else does.
_PRELUDE: Final = """
import ctypes, mmap, os, socket, sys, threading, time
from grader.sandbox.locks import kernel, syscalls
def attempt(what, act, *arguments):
    try:
        act(*arguments)
    except (OSError, RuntimeError, ValueError) as refused:
        if isinstance(refused, (FileNotFoundError, NotADirectoryError, ProcessLookupError)):
            print("OPEN:", what, "was looked up:", refused)
    else:
        print("OPEN:", what)
def hostile(name):
    return syscalls.HOSTILE[name][kernel.architecture().column]
"""


@dataclass(frozen=True, slots=True)
class Finding:
    """One row of the table."""

    name: str
    ok: bool
    required: bool
    detail: str

    def line(self) -> str:
        """Return the row as it is printed."""
        mark = "ok" if self.ok else "FAILED" if self.required else "off"
        return f"{self.name:<20} | {mark:<6} | {self.detail}"


@dataclass(frozen=True, slots=True)
class Report:
    """All findings of one examination."""

    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        """Whether every required probe holds, so that code may be graded."""
        return all(finding.ok for finding in self.findings if finding.required)

    @property
    def failed(self) -> tuple[str, ...]:
        """Names of the required probes that do not hold."""
        return tuple(finding.name for finding in self.findings if finding.required and not finding.ok)

    def table(self) -> str:
        """Return the findings as text, one a line, and the verdict."""
        verdict = "code can be graded here" if self.ok else "code must NOT be graded here; tensors can"
        return "\n".join([*(finding.line() for finding in self.findings), verdict])


def examine(sandbox: Sandbox) -> Report:
    """Try every lock. Raises nothing: a sandbox that cannot run anything is a finding.

    Takes about a second. The probe of the processor time takes longest, and runs beside the others.
    """
    with ThreadPoolExecutor(1) as beside:
        cpu_finding = beside.submit(_finding, "processor time", partial(_cpu_limit, sandbox))
        findings = [_finding(name, partial(probe, sandbox)) for name, probe in _PROBES.items()]
        findings.append(cpu_finding.result())
    findings.append(replace(_finding("page tables", partial(_page_tables, sandbox)), required=False))
    findings += _attested(sandbox)
    findings.append(kernel_finding(_kernel_log()))
    return Report(tuple(findings))


@dataclass(frozen=True, slots=True)
class _Verdict:
    ok: bool
    detail: str


def _finding(name: str, probe: Callable[[], _Verdict]) -> Finding:
    try:
        verdict = probe()
    except SandboxFault as fault:
        verdict = _Verdict(False, f"{fault}")
    return Finding(name, verdict.ok, True, verdict.detail)


def _run(sandbox: Sandbox, source: str, limits: Limits | None = None) -> Run:
    job = Job(_PRELUDE + source, "doctor.py", _NO_STATE, (_SLOT,), limits or sandbox.limits)
    return sandbox.run_beside(job)


def _honest(sandbox: Sandbox) -> _Verdict:
    run = _run(sandbox, "danswer = torch.arange(4.0) @ torch.ones(4, 4)")
    tensor = run.answers["answer"].tensor
    right = tensor is not None and torch.equal(tensor, torch.full((4,), 6.0))
    return _Verdict(run.status is RunStatus.OK and right, "an honest gradient runs" if right else run.message)


def _refused(source: str, detail: str) -> Callable[[Sandbox], _Verdict]:
    """Make a probe that holds if no attempt of the source succeeds."""

    def probe(sandbox: Sandbox) -> _Verdict:
        run = _run(sandbox, source + "\nprint('tried')")
        open_ = [line.removeprefix("OPEN: ") for line in run.stdout.splitlines() if line.startswith("OPEN: ")]
        if open_:
            return _Verdict(False, "; ".join(open_)[:200])
        if run.status is not RunStatus.OK or "tried" not in run.stdout:
            return _Verdict(False, f"the probe did not run to its end: {run.status}: {run.message[-200:]}")
        return _Verdict(True, detail)

    return probe


def _ends(source: str, status: RunStatus, detail: str, limits: Limits | None = None) -> Callable[[Sandbox], _Verdict]:
    """Make a probe that holds if the run ends with this status."""

    def probe(sandbox: Sandbox) -> _Verdict:
        run = _run(sandbox, source, limits)
        held = run.status is status and "OPEN" not in run.stdout
        return _Verdict(held, detail if held else f"ended as {run.status}; {run.stdout[:100]}{run.message[-200:]}")

    return probe


def _cpu_limit(sandbox: Sandbox) -> _Verdict:
    # If nothing stops it, it stops itself, a processor second after the hard limit.
    run = _run(sandbox, "while time.process_time() < 3: pass\nprint('OPEN')", _CPU_LIMITS)
    held = run.status is RunStatus.TIME_LIMIT and "processor time" in run.message and "OPEN" not in run.stdout
    return _Verdict(held, "an endless loop is stopped" if held else f"ended as {run.status}: {run.message[-200:]}")


def _memory_limit(sandbox: Sandbox) -> _Verdict:
    """Take 64 MiB more than the limit, and hold it: in gVisor only the zygote notices, at its next look."""
    count = sandbox.limits.data_bytes // MIB + 64
    source = f"held = [b'x' * 2**20 for _ in range({count})]\ntime.sleep(0.5)\nprint('OPEN')"
    limits = replace(sandbox.limits, cpu_seconds=30, wall_seconds=60)  # a busy machine gives pages slowly, too
    return _ends(source, RunStatus.MEMORY_LIMIT, "no more than the limit", limits)(sandbox)


def _page_tables(sandbox: Sandbox) -> _Verdict:
    """Make more page tables than the limit of memory, by pages that stand alone. gVisor does not tell of its own."""
    limits = replace(_PAGE_TABLE_LIMITS, wall_seconds=sandbox.limits.wall_seconds)
    return _ends(_MAKE_PAGE_TABLES, RunStatus.MEMORY_LIMIT, "count as memory", limits)(sandbox)


def _runs_are_equal(sandbox: Sandbox) -> _Verdict:
    """One run marks everything that it can reach. The next must find none of it."""
    look = "print(hasattr(torch, 'mark'), 'mark' in os.environ, random.random(), torch.rand(1).item())\n"
    mark = "torch.mark = 1\nos.environ['mark'] = '1'\nrandom.seed(5)\ntorch.manual_seed(5)\n"
    first = _run(sandbox, f"import random\n{look}{mark}")
    second = _run(sandbox, f"import random\n{look}")
    equal = first.stdout == second.stdout and second.stdout.startswith("False False")
    return _Verdict(equal, "a run finds nothing of an earlier one" if equal else f"{first.stdout} {second.stdout}")


def _attested(sandbox: Sandbox) -> Iterator[Finding]:
    """Report what a child found when it tried its own locks, before seccomp hid them."""
    try:
        layers, landlock = sandbox.locks(), sandbox.landlock
    except SandboxFault as fault:
        yield Finding("locks", False, True, str(fault))
        return
    for layer, detail in _LAYERS.items():
        yield Finding(str(layer.name).lower().replace("_", " "), layer in layers, True, detail)
    has = Layer.LANDLOCK in layers
    detail = f"version {landlock}" if landlock else "this kernel has none; seccomp alone keeps files closed"
    yield Finding("landlock", has, bool(landlock), detail)
    notifies = Layer.EXIT_NOTIFICATION in layers
    yield Finding("exit notification", notifies, False, "results are read before the tear-down, not after it")


def kernel_finding(log: bytes) -> Finding:
    """Return whose kernel this is, by its log: gVisor's begins with a greeting, and others may be hidden from us."""
    if b"Starting gVisor" in log:
        detail = (
            "gVisor, a second wall by itself. It has no Landlock, no exit notification, and no page tables to count. "
            "Its limit of memory is loose: the zygote looks 50 times a second. A run takes longer"
        )
        return Finding("kernel", True, False, detail)
    return Finding("kernel", True, False, f"{platform.system()} {platform.release()}, the machine's own")


def _kernel_log() -> bytes:
    buffer = ctypes.create_string_buffer(_KERNEL_LOG_BYTES)
    ctypes.CDLL(None).klogctl(_SYSLOG_ACTION_READ_ALL, buffer, _KERNEL_LOG_BYTES)
    return buffer.value


_LAYERS: Final = {
    Layer.SESSION: "a session of its own",
    Layer.DIES_WITH_ZYGOTE: "SIGKILL when the zygote dies",
    Layer.NOT_DUMPABLE: "closed to others of its user",
    Layer.DESCRIPTORS: "the null device and its control channel, nothing else",
    Layer.PRIVILEGES: "no capability, and no way to one",
    Layer.RLIMITS: "all as requested",
}

_PROBES: Final[dict[str, Callable[[Sandbox], _Verdict]]] = {
    "honest run": _honest,
    "files": _refused(
        """
attempt("reading", open, "/")
attempt("reading a file", open, "/proc/self/status")
attempt("listing", os.listdir, "/")
attempt("writing", open, "/tmp/doctor", "w")
attempt("removing", os.unlink, "/tmp/doctor")
attempt("making a folder", os.mkdir, "/tmp/doctor")
""",
        "cannot be opened, listed, written, removed",
    ),
    "metadata": _refused(
        """
attempt("stat", os.stat, "/")
attempt("readlink", os.readlink, "/proc/self/exe")
attempt("access", lambda: os.access("/", os.F_OK) and None or (_ for _ in ()).throw(OSError()))
attempt("getcwd", os.getcwd)
attempt("statvfs", os.statvfs, "/")
""",
        "cannot be looked up",
    ),
    "sockets": _refused(
        """
for family in (socket.AF_INET, socket.AF_INET6, socket.AF_UNIX, socket.AF_NETLINK):
    attempt(f"a socket of {family!r}", socket.socket, family, socket.SOCK_DGRAM)
attempt("a pair of sockets", socket.socketpair)
attempt("a pipe", os.pipe)
""",
        "of no family, nor pipes",
    ),
    "fork": _refused(
        """
def fork():
    if os.fork() == 0:
        os._exit(0)
attempt("a process", fork)
attempt("a thread", threading.Thread(target=time.sleep, args=(0,)).start)
""",
        "no process, no thread",
    ),
    "exec": _refused('attempt("another program", os.execv, "/nonexistent", ["x"])', "no other program"),
    "signals": _refused(
        """
attempt("a signal to its group", os.kill, 0, 0)
attempt("a signal to the first process", os.kill, 1, 0)
attempt("a handler", __import__("signal").signal, 10, lambda *_: None)
""",
        "to nobody, and no handlers",
    ),
    "other processes": _refused(
        """
attempt("the processor time of another process", time.clock_gettime, (~1 << 3) | 2)
at = ctypes.cast(ctypes.CDLL(None).getpid, ctypes.c_void_p).value & ~3
def wake():
    kernel.call(kernel.architecture().number("futex"), at, 1, 1)
attempt("a futex on a page that others have too", wake)
""",
        "cannot be seen or woken",
    ),
    "ptrace": _ends('kernel.call(hostile("ptrace"), 0); print("OPEN")', RunStatus.DENIED, "deadly"),
    "executable memory": _refused(
        """
writable_code = mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC
attempt("a mapping at a chosen address", lambda: kernel.call(
    kernel.architecture().number("mmap"), 1 << 44, 4096, mmap.PROT_READ, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, -1, 0))
attempt("mapping code", mmap.mmap, -1, 4096, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, writable_code)
libc = ctypes.CDLL(None, use_errno=True)
def protect():
    page = ctypes.addressof(ctypes.create_string_buffer(8192)) & ~4095
    if libc.mprotect(ctypes.c_void_p(page), ctypes.c_size_t(4096), writable_code):
        raise OSError("refused")
attempt("making memory code", protect)
""",
        "not available",
    ),
    "shared memory": _refused(
        """
attempt("a shared mapping", mmap.mmap, -1, 4096, mmap.MAP_SHARED | mmap.MAP_ANONYMOUS, mmap.PROT_READ)
attempt("a memfd", os.memfd_create, "x")
""",
        "not available",
    ),
    "environment": _refused(
        f"""
for name in os.environ:
    if name not in {_ENVIRONMENT.split()!r}:
        print("OPEN:", name)
for name in sys.modules:
    if name.startswith(("server", "grader.compare", "grader.reference", "grader.grade", "exercises")):
        print("OPEN:", name)
""",
        "no variable and no module but those it needs",
    ),
    "descriptors at work": _refused(
        "for each in range(3, 256): attempt(f'descriptor {each}', os.write, each, b'')", "none is open"
    ),
    "memory": _memory_limit,
    "address space": _refused(
        """
attempt("reserving", lambda: [
    mmap.mmap(-1, 2**28, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, mmap.PROT_READ) for _ in range(64)
])
""",
        "mappings without data count too",
    ),
    "output": _ends("while True: print('x' * 1000)", RunStatus.OUTPUT_LIMIT, "an endless print is stopped"),
    "wall time": _ends("time.sleep(20)", RunStatus.TIME_LIMIT, "an endless wait is stopped", _WALL_LIMITS),
    "a crash": _ends("ctypes.string_at(0)", RunStatus.CRASHED, "is the child's alone"),
    "runs are equal": _runs_are_equal,
}


def main() -> None:
    """Print the table. The exit code is 0 if code can be graded here."""
    try:
        with Sandbox() as sandbox:
            report = examine(sandbox)
    except SandboxFault as fault:
        sys.exit(f"doctor: {fault}")
    print(report.table())
    sys.exit(0 if report.ok else 1)


if __name__ == "__main__":
    main()
