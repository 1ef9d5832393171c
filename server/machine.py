"""What this process may use of its machine: processors, memory and descriptors, as its container limits them.

A container sees the processors and the memory of the whole machine. Its limits stand in files of its control group,
of version 2 or 1 (``Documentation/admin-guide/cgroup-v2.rst`` and ``cgroup-v1/`` in the kernel's sources).
"""

from __future__ import annotations

import ctypes
import math
import os
import resource
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

MIB: Final = 1024 * 1024
SERVER_BYTES: Final = 640 * MIB  # a server with its zygote, before any run
PROCESS_BYTES: Final = 160 * MIB  # each further process of a server: what it does not share with the others, and caches
# What one run can take: its limit with page tables (256 + 16 MiB), its stack, and own copies of the zygote's pages.
CHILD_BYTES: Final = 448 * MIB
CHILDREN_MAX: Final = 96  # a zygote has 256 descriptors, and needs two for each, and some
PROCESSES_MAX: Final = 32
DESCRIPTORS_WANTED: Final = 65_536
M_ARENA_MAX: Final = -8  # of malloc.h
ARENAS: Final = 2  # one interpreter lock lets few threads allocate at a time


@dataclass(frozen=True)
class Machine:
    """The machine below a folder. Tests hand in a folder of their own."""

    root: Path = Path("/")

    def processors(self) -> int:
        """Return how many processors this process may use, at least 1."""
        counts = [len(os.sched_getaffinity(0)) if self.root == Path("/") else CHILDREN_MAX]
        for folder in self._groups("cpuset"):
            counts += [_count(text) for text in _texts(folder, "cpuset.cpus.effective", "cpuset.cpus")]
        for folder in self._groups("cpu"):
            for text in _texts(folder, "cpu.max"):
                quota, period = text.split()
                counts += [] if quota == "max" else [math.ceil(int(quota) / int(period))]
            for quota in _texts(folder, "cpu.cfs_quota_us"):
                for period in _texts(folder, "cpu.cfs_period_us"):
                    counts += [math.ceil(int(quota) / int(period))] if int(quota) > 0 else []
        return max(1, min(count for count in counts if count))

    def memory_bytes(self) -> int:
        """Return how much memory this process and its children may use together."""
        meminfo = dict(line.split(":") for line in (self.root / "proc/meminfo").read_text().splitlines())
        limits = [int(meminfo["MemTotal"].split()[0]) * 1024]
        for folder in self._groups("memory"):
            texts = _texts(folder, "memory.max", "memory.limit_in_bytes")
            limits += [int(text) for text in texts if text != "max"]
        return min(limits)

    def children(self) -> int:
        """Return how many runs of students' code have room at the same time, at least 1."""
        room = (self.memory_bytes() - SERVER_BYTES) // CHILD_BYTES
        return max(1, min(self.processors(), room, CHILDREN_MAX))

    def processes(self, children: int) -> int:
        """Return how many processes of a server have work, and room beside so many runs, at least 1."""
        room = (self.memory_bytes() - SERVER_BYTES - children * CHILD_BYTES) // PROCESS_BYTES
        return max(1, min(self.processors(), 1 + room, PROCESSES_MAX))

    def _groups(self, controller: str) -> Iterator[Path]:
        """Yield the folders of this process's control group and of those above it, of both versions.

        In a container the mount often begins at the group itself, whatever path the process is told.
        """
        for line in (self.root / "proc/self/cgroup").read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            if controllers and controller not in controllers.split(","):
                continue
            for mount in [controllers, controller] if controllers else [".", "unified"]:
                folder = self.root / "sys/fs/cgroup" / mount
                yield folder
                for part in Path(path).parts[1:]:
                    folder /= part
                    yield folder


def limit_arenas() -> bool:
    """Have all threads allocate from few arenas; return whether this was set. It must be called before they begin.

    glibc gives threads up to eight for each processor, and what is freed in one serves no thread of another. So memory
    grew on for a long time after the caches were full. ``MALLOC_ARENA_MAX`` in the environment wins. Another C
    library may have no ``mallopt``.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None or "MALLOC_ARENA_MAX" in os.environ:
        return False
    return bool(mallopt(M_ARENA_MAX, ARENAS))


def raise_descriptor_limit() -> int:
    """Allow this process as many descriptors as it may have, and return how many."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = DESCRIPTORS_WANTED if hard == resource.RLIM_INFINITY else min(hard, DESCRIPTORS_WANTED)
    if wanted > soft:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return max(soft, wanted)


def _texts(folder: Path, *names: str) -> list[str]:
    """Return the contents of those files that there are."""
    texts = []
    for name in names:
        try:
            texts.append((folder / name).read_text().strip())
        except OSError:
            continue
    return [text for text in texts if text]


def _count(processors: str) -> int:
    """Return how many processors a list such as ``0-3,8`` names."""
    ranges = [part.partition("-") for part in processors.split(",")]
    return sum(int(last or first) - int(first) + 1 for first, _, last in ranges)
