"""The memory of a server and of all its processes, as the kernel counts it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

KIB_PER_MIB = 1024  # the kernel counts in KiB


@dataclass(frozen=True)
class Memory:
    """The memory of one process, in MiB.

    ``uss`` belongs to it alone. ``pss`` adds its share of what several processes hold, and the benchmark's own torch is
    one of them. ``anonymous`` is its share of what is no file. ``files`` are the pages of libraries and other files,
    shared or not.
    """

    name: str
    uss: float
    pss: float
    anonymous: float
    files: float

    def as_json(self) -> dict[str, float | str]:
        """Return the entry of ``bench/results.json``."""
        parts = {"uss": self.uss, "pss": self.pss, "anonymous": self.anonymous, "files": self.files}
        return {"process": self.name} | {f"{name}_mib": round(mib, 1) for name, mib in parts.items()}


def of_server(pid: int) -> list[Memory]:
    """Measure a server and everything below it: its processes, its zygotes, and the children that wait."""
    return [_of_process(name_of(each), each) for each in tree(pid)]


def tree(pid: int) -> list[int]:
    """Return a process and everything below it."""
    return [pid, *(below for child in _children(pid) for below in tree(child))]


def name_of(pid: int) -> str:
    """Return what a process is. A child has the command line of its zygote, and no process below it."""
    command = Path(f"/proc/{pid}/cmdline").read_bytes()
    if b"grader.sandbox.zygote" not in command:
        return "server"
    return "zygote" if _children(pid) else "child"


def together(memories: list[Memory]) -> float:
    """Return how many MiB these processes take together: all that is no file, and the files once.

    They map the same libraries, so the largest process has all of them.
    """
    return sum(each.anonymous for each in memories) + max(each.files for each in memories)


def _of_process(name: str, pid: int) -> Memory:
    rollup = _kib_fields(Path(f"/proc/{pid}/smaps_rollup"))
    status = _kib_fields(Path(f"/proc/{pid}/status"))
    return Memory(
        name,
        (rollup["Private_Clean"] + rollup["Private_Dirty"]) / KIB_PER_MIB,
        rollup["Pss"] / KIB_PER_MIB,
        (rollup["Pss_Anon"] + rollup["Pss_Shmem"]) / KIB_PER_MIB,
        status["RssFile"] / KIB_PER_MIB,
    )


def _kib_fields(file: Path) -> dict[str, int]:
    """Return the values of lines such as ``Pss:  123 kB``, by name."""
    lines = (line.split() for line in file.read_text().splitlines())
    return {words[0].rstrip(":"): int(words[1]) for words in lines if words[2:] == ["kB"]}


def _children(pid: int) -> list[int]:
    threads = Path(f"/proc/{pid}/task").iterdir()
    return [int(child) for thread in threads for child in (thread / "children").read_text().split()]
