"""How much memory a child holds, with its page tables: no rlimit counts those.

A page of 4 KiB that stands alone in its 2 MiB needs a page table of 4 KiB, and nearly another one if it stands alone in
its GiB. So 65,530 mappings of one page each, as many as Linux allows, take 256 MiB as data and up to 512 MiB as page
tables. The zygote measures its children while they run code, and kills one that holds more than its limit.
"""

from __future__ import annotations

import os
from typing import Final

MEASURE_SECONDS: Final = 0.02  # a page table takes some microseconds to make: a few dozen MiB in between
# What a run within its limits may hold beside its data: its stack, and a page table for each 512 pages.
ALLOWANCE_BYTES: Final = 16 * 1024 * 1024
_FIELDS: Final = (b"RssAnon:", b"VmPTE:")
_MAPPED: Final = b"VmData:"  # private writable mappings, used or not: gVisor tells of nothing else that is not files


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
    told = [line for line in lines if line.startswith(_FIELDS)] or [line for line in lines if line.startswith(_MAPPED)]
    return sum(int(line.split()[1]) for line in told) * 1024
