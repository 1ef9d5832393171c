"""The processor time of a server and everything below it. It is the same on a busy machine, where the clock is not."""

from __future__ import annotations

import os
from pathlib import Path

from bench import memory

_TICKS = os.sysconf("SC_CLK_TCK")


def seconds_by_name(pid: int) -> dict[str, float]:
    """Return the seconds that the processes below ``pid`` have used, and those that have ended, by what they are."""
    seconds: dict[str, float] = {}
    for each in memory.tree(pid):
        name, used = memory.name_of(each), _seconds(each)
        seconds[name] = seconds.get(name, 0.0) + used
    return seconds


def _seconds(pid: int) -> float:
    """Return the seconds of a process and of its ended children, as ``proc(5)`` counts them."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / _TICKS
