"""Where this process's memory lies after it was arranged."""

from __future__ import annotations

import ctypes
import mmap
import platform
import subprocess
import sys
from pathlib import Path

from grader.sandbox import RunStatus, Sandbox
from tests.grader.sandbox.conftest import job
from tests.grader.sandbox.traces import zygote_of

# One hole for each pool of Python's heap, and for each few pages of malloc's. Then 50 new ones, and how far they reach.
HOLES = """
import ctypes
from grader.sandbox.zygote import pages
libc = pages._libc
pages.keep_freed_memory()
objects = [bytes(100) for _ in range(20_000)]
chunks = [libc.malloc(3000) for _ in range(2000)]
for chunk in chunks[::20]:
    libc.free(chunk)
del objects[::120]
FILL
new = [bytes(100) for _ in range(50)]
places = [id(each) for each in new], [libc.malloc(3000) for _ in range(50)]
print(*(len({address >> 14 for address in each}) for each in places))
"""


def places(program: str) -> list[int]:
    """In how many pieces of 16 KiB the new objects and the new chunks begin."""
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    return [int(number) for number in said.split()]


def test_what_comes_after_the_holes_lies_together() -> None:
    objects, chunks = places(HOLES.replace("FILL", "pages.fill_holes()"))

    assert objects <= 3 and chunks <= 11  # 50 × 3 KB are 10 of them


def test_holes_would_be_filled_first() -> None:
    objects, chunks = places(HOLES.replace("FILL", ""))

    assert objects >= 25 and chunks >= 25


def rights(process: int) -> list[tuple[int, int, str, str]]:
    """First and last address, rights and file of each mapping of a process."""
    mappings = []
    for line in Path(f"/proc/{process}/maps").read_text().splitlines():
        addresses, kind, _, _, _, *path = line.split(maxsplit=5)
        start, end = addresses.split("-")
        mappings.append((int(start, 16), int(end, 16), kind, "".join(path)))
    return mappings


def can_collapse() -> bool:
    """Whether this kernel puts memory into huge pages when it is asked to."""
    huge, collapse = 2 * 1024 * 1024, 25
    with mmap.mmap(-1, 3 * huge, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) as memory:
        memory[:] = b"x" * len(memory)
        first = ctypes.c_char.from_buffer(memory)
        start = -(-ctypes.addressof(first) // huge) * huge
        del first
        libc = ctypes.CDLL(None)
        libc.madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
        return bool(libc.madvise(start, huge, collapse) == 0) and platform.machine() == "x86_64"


def test_code_in_huge_pages_keeps_its_rights(sandbox: Sandbox) -> None:
    assert sandbox.run(job("dx = x")).status is RunStatus.OK

    mappings = rights(zygote_of(sandbox))

    assert not [each for each in mappings if "w" in each[2] and "x" in each[2]]
    torchs = [start for start, _, _, path in mappings if path.endswith("libtorch_cpu.so")]
    moved = [each for each in mappings if "x" in each[2] and not each[3] and min(torchs) < each[0] < max(torchs)]
    assert {kind for _, _, kind, _ in moved} == ({"r-xp"} if can_collapse() else set())
    assert all(start % 2**21 == end % 2**21 == 0 for start, end, _, _ in moved)
