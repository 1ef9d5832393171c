"""Memory of a server and of all its processes, as the kernel counts it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

MIB = 1024  # the kernel counts in KiB


@dataclass(frozen=True)
class Memory:
    """Of one process, in MiB. ``uss`` is its own alone; ``pss`` has its share of what several processes hold, this
    benchmark's own torch among them; ``anonymous`` is the share of what is no file; ``files`` are the pages of
    libraries and other files, shared or not."""

    name: str
    uss: float
    pss: float
    anonymous: float
    files: float

    def as_json(self) -> dict[str, float | str]:
        """For ``bench/results.json``."""
        return {"process": self.name, "uss_mib": round(self.uss, 1), "pss_mib": round(self.pss, 1)}


def of_server(process: int) -> list[Memory]:
    """The server, its zygote, and the children that wait."""
    found = [_of("server", process)]
    for zygote in _children(process):
        found.append(_of("zygote", zygote))
        found += [_of("child", child) for child in _children(zygote)]
    return found


def together(memories: list[Memory]) -> float:
    """What these processes take of the machine: all that is no file, and files once. They map the same libraries, so
    the largest has them all."""
    return sum(each.anonymous for each in memories) + max(each.files for each in memories)


def _of(name: str, process: int) -> Memory:
    rollup = _fields(Path(f"/proc/{process}/smaps_rollup"))
    status = _fields(Path(f"/proc/{process}/status"))
    return Memory(
        name,
        (rollup["Private_Clean"] + rollup["Private_Dirty"]) / MIB,
        rollup["Pss"] / MIB,
        (rollup["Pss_Anon"] + rollup["Pss_Shmem"]) / MIB,
        status["RssFile"] / MIB,
    )


def _fields(file: Path) -> dict[str, int]:
    """Lines such as ``Pss:  123 kB``."""
    words = (line.split() for line in file.read_text().splitlines())
    return {
        name.rstrip(":"): int(value)
        for name, value, *unit in (each for each in words if len(each) > 2)
        if unit == ["kB"]
    }


def _children(process: int) -> list[int]:
    threads = Path(f"/proc/{process}/task").iterdir()
    return [int(child) for thread in threads for child in (thread / "children").read_text().split()]
