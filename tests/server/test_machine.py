"""The machine as a container limits it, with control groups of both versions written by the tests."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from grader.sandbox import Limits
from grader.sandbox.zygote.memory import ALLOWANCE_BYTES
from server.machine import CHILD_BYTES, MIB, PROCESS_BYTES, SERVER_BYTES, Machine

GIB = 1024 * MIB
V2 = "0::/\n"
DOCKER_V1 = "4:memory:/docker/0123\n3:cpuset:/docker/0123\n2:cpu,cpuacct:/docker/0123\n0::/docker/0123\n"
MANY = "cpuset.cpus.effective"


def machine(root: Path, groups: str, files: Mapping[str, str], memory_gib: int = 256) -> Machine:
    """A machine with these control groups and files below /sys/fs/cgroup."""
    (root / "proc/self").mkdir(parents=True)
    (root / "proc/self/cgroup").write_text(groups)
    (root / "proc/meminfo").write_text(f"MemTotal: {memory_gib * 1024 * 1024} kB\nMemFree: 1 kB\n")
    for name, content in ({MANY: "0-63"} | dict(files)).items():
        path = root / "sys/fs/cgroup" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content + "\n")
    return Machine(root)


@pytest.mark.parametrize(
    ("groups", "files", "processors"),
    [
        (V2, {}, 64),
        (V2, {"cpu.max": "max 100000"}, 64),
        (V2, {"cpu.max": "200000 100000"}, 2),
        (V2, {"cpu.max": "150000 100000"}, 2),
        (V2, {"cpu.max": "20000 100000"}, 1),
        (V2, {MANY: "0-3,8,10-11"}, 7),
        ("0::/a/b\n", {"a/cpu.max": "300000 100000", "a/b/cpu.max": "max 100000"}, 3),
        (DOCKER_V1, {"cpu,cpuacct/cpu.cfs_quota_us": "400000", "cpu,cpuacct/cpu.cfs_period_us": "100000"}, 4),
        (DOCKER_V1, {"cpu,cpuacct/cpu.cfs_quota_us": "-1", "cpu,cpuacct/cpu.cfs_period_us": "100000"}, 64),
        (DOCKER_V1, {"cpuset/docker/0123/cpuset.cpus": "5"}, 1),
    ],
)
def test_processors_are_those_of_the_container(
    tmp_path: Path, groups: str, files: dict[str, str], processors: int
) -> None:
    assert machine(tmp_path, groups, files).processors() == processors


@pytest.mark.parametrize(
    ("groups", "files", "gib"),
    [
        (V2, {}, 256),
        (V2, {"memory.max": "max"}, 256),
        (V2, {"memory.max": str(2 * GIB)}, 2),
        ("0::/a/b\n", {"a/memory.max": str(4 * GIB), "a/b/memory.max": "max"}, 4),
        (DOCKER_V1, {"memory/memory.limit_in_bytes": str(3 * GIB)}, 3),
        (DOCKER_V1, {"memory/memory.limit_in_bytes": "9223372036854771712"}, 256),
    ],
)
def test_memory_is_that_of_the_container(tmp_path: Path, groups: str, files: dict[str, str], gib: int) -> None:
    assert machine(tmp_path, groups, files).memory_bytes() == gib * GIB


@pytest.mark.parametrize(
    ("files", "children"),
    [
        ({"memory.max": str(2 * GIB)}, 3),  # docker-compose.yml on a machine of 64 processors
        ({"memory.max": str(2 * GIB), "cpu.max": "200000 100000"}, 2),
        ({"memory.max": str(512 * MIB)}, 1),
        ({}, 64),
    ],
)
def test_children_have_room_in_memory_and_a_processor_each(
    tmp_path: Path, files: dict[str, str], children: int
) -> None:
    container = machine(tmp_path, V2, files)

    assert container.children() == children
    assert children == 1 or SERVER_BYTES + children * CHILD_BYTES <= container.memory_bytes()


@pytest.mark.parametrize(
    ("files", "children", "processes"),
    [
        ({"memory.max": str(2 * GIB), "cpu.max": "200000 100000"}, 2, 2),
        ({"memory.max": str(2 * GIB)}, 3, 1),  # the runs come first
        ({"memory.max": str(2 * GIB)}, 0, 9),  # workers run the code
        ({"memory.max": str(512 * MIB)}, 1, 1),
        ({}, 64, 32),
    ],
)
def test_processes_have_room_beside_the_runs_and_a_processor_each(
    tmp_path: Path, files: dict[str, str], children: int, processes: int
) -> None:
    container = machine(tmp_path, V2, files)

    assert container.processes(children) == processes
    needed = SERVER_BYTES + children * CHILD_BYTES + (processes - 1) * PROCESS_BYTES
    assert processes == 1 or needed <= container.memory_bytes()


def test_this_machine_has_a_processor_and_memory() -> None:
    assert Machine().processors() >= 1
    assert Machine().memory_bytes() > 256 * MIB


def test_the_limit_of_descriptors_is_raised_as_far_as_it_goes() -> None:
    program = """
import resource
from grader.sandbox import Limits
from grader.sandbox.zygote.memory import ALLOWANCE_BYTES
from server.machine import raise_descriptor_limit
resource.setrlimit(resource.RLIMIT_NOFILE, (100, 500))
print(raise_descriptor_limit(), resource.getrlimit(resource.RLIMIT_NOFILE))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout == "500 (500, 500)\n"


@pytest.mark.parametrize(("environment", "is_limited"), [({}, True), ({"MALLOC_ARENA_MAX": "16"}, False)])
def test_all_threads_allocate_from_two_arenas(environment: Mapping[str, str], is_limited: bool) -> None:
    program = """
import threading
from ctypes import CDLL, POINTER, c_char_p, c_int, c_void_p
from server.machine import limit_arenas
is_limited = limit_arenas()
all_here = threading.Barrier(8)
def allocate():
    kept = bytes(10_000)
    all_here.wait()
threads = [threading.Thread(target=allocate) for _ in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
libc = CDLL(None)
libc.fdopen.restype = c_void_p
libc.malloc_info.argtypes = [c_int, c_void_p]
libc.malloc_info(0, libc.fdopen(c_int(1), c_char_p(b"w")))
libc.fflush(None)
print(is_limited)
"""
    inherited = {name: value for name, value in os.environ.items() if name != "MALLOC_ARENA_MAX"}
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, env=inherited | dict(environment)
    )

    assert (done.stdout.count("<heap nr=") <= 2, done.stdout.endswith(f"{is_limited}\n")) == (is_limited, True)


COMPOSE = Path(__file__).parents[2] / "docker-compose.yml"
WORKERS = COMPOSE.with_name("docker-compose.workers.yml")


def test_the_containers_have_room_for_what_their_runs_may_take(tmp_path: Path) -> None:
    gib = re.findall(r"640 MiB, 448 for each run [^\n]*\n    mem_limit: (\d+)g", COMPOSE.read_text())
    (children,) = set(re.findall(r"DOJO_CHILDREN:-(\d+)", WORKERS.read_text()))
    (workers,) = re.findall(r"DOJO_WORKERS:-(\d+)", WORKERS.read_text())
    (zygote_mib,) = re.findall(r"DOJO_ZYGOTE_MEMORY:-(\d+)m\}\"  # 384 MiB, and 448 for each run", WORKERS.read_text())

    assert (SERVER_BYTES, CHILD_BYTES) == (640 * MIB, 448 * MIB)
    assert machine(tmp_path, V2, {"memory.max": str(int(gib[0]) * GIB)}).children() == 3
    assert int(zygote_mib) * MIB >= 384 * MIB + int(workers) * int(children) * CHILD_BYTES


def test_a_run_fits_into_what_is_counted_for_it() -> None:
    limits = Limits()
    zygotes_own_pages = 150 * MIB  # that a run may write to, and so copy; bench/memory.py measures them

    assert limits.data_bytes + ALLOWANCE_BYTES + limits.stack_bytes + zygotes_own_pages <= CHILD_BYTES
