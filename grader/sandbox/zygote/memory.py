"""How much memory a child holds, with its page tables: no rlimit counts those.

A page of 4 KiB that stands alone in its 2 MiB needs a page table of 4 KiB, and nearly another one if it stands alone in
its GiB. So 65,530 mappings of one page each, as many as Linux allows, take 256 MiB as data and up to 512 MiB as page
tables. The zygote measures its children while they run code, and kills one that holds more than its limit.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

MEASURE_SECONDS: Final = 0.02  # a page table takes some microseconds to make: a few dozen MiB in between
# What a run within its limits may hold beside its data: its stack, and a page table for each 512 pages.
ALLOWANCE_BYTES: Final = 16 * 1024 * 1024
_FIELDS: Final = (b"RssAnon:", b"VmPTE:")
_RESIDENT: Final = b"VmRSS:"  # all that gVisor tells; what the child has from the zygote is in both, and is taken off


def held_bytes(process: int | str, folder: str = "/proc") -> int:
    """Return the private memory of a process and its page tables; 0 if it is dead, or this system does not tell."""
    try:
        status = os.open(f"{folder}/{process}/status", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return 0
    try:
        lines = os.read(status, 8192).splitlines()
    except OSError:
        return 0
    finally:
        os.close(status)
    told = [line for line in lines if line.startswith(_FIELDS)] or [
        line for line in lines if line.startswith(_RESIDENT)
    ]
    return sum(int(line.split()[1]) for line in told) * 1024


def is_told_by_peak(process: int | str = "self", folder: str = "/proc") -> bool:
    """Whether this kernel tells only resident memory, as gVisor does.

    It then also counts, at the end of a run, the most that was resident: a run there may be over between two looks.
    Linux would count pages of libraries and of the zygote, too.
    """
    try:
        return "RssAnon:" not in Path(f"{folder}/{process}/status").read_text()
    except OSError:
        return False
