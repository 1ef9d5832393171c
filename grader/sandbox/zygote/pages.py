"""Arrange this process's memory so that a fork copies few entries of the page table, and a child few pages.

A child copies a page when it first writes to it, and Python writes to every object that it uses: it counts references.
So what a run uses should lie together, and what it allocates should come from memory that nobody has used. The cost of
a page is some 2 µs, and was more than half of a child's processor time (``python -m bench.child``).

All of it is done once, before the first fork. A kernel or a C library that has no such call is left as it is.
"""

from __future__ import annotations

import ctypes
import platform
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from struct import unpack
from typing import Final

_PAGE_BYTES: Final = 4096
_HUGE_BYTES: Final = 2 * 1024 * 1024
_TEXT_PAGES_MIN: Final = 96  # that a rehearsal uses of a huge page's 512, or it is not worth its memory

# sys/mman.h, linux/mman.h
_PROT_READ, _PROT_WRITE, _PROT_EXEC = 1, 2, 4
_PRIVATE_ANONYMOUS: Final = 0x02 | 0x20
_MAY_MOVE_FIXED: Final = 1 | 2
_MADV_DONTNEED, _MADV_HUGEPAGE, _MADV_COLLAPSE = 4, 14, 25

# malloc.h: parameters of mallopt
_TRIM_THRESHOLD, _TOP_PAD, _MMAP_THRESHOLD = -1, -2, -3

_libc = ctypes.CDLL(None, use_errno=True)
_libc.madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
_libc.mprotect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
_libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
_libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
_libc.mmap.restype = ctypes.c_void_p
_libc.mremap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_size_t, ctypes.c_int, ctypes.c_void_p]
_libc.mremap.restype = ctypes.c_void_p
_libc.malloc.argtypes = [ctypes.c_size_t]
_libc.malloc.restype = ctypes.c_void_p
_libc.free.argtypes = [ctypes.c_void_p]
_libc.sbrk.argtypes = [ctypes.c_ssize_t]
_libc.sbrk.restype = ctypes.c_size_t
_FAILED: Final = ctypes.c_void_p(-1).value

_fillers: Final[list[object]] = []  # objects in the holes of Python's heap


@dataclass(frozen=True, slots=True)
class Mapping:
    """One line of ``/proc/self/maps``."""

    start: int
    end: int
    rights: str
    path: str  # empty for anonymous memory; the heap and the stack have names in brackets


def keep_freed_memory() -> None:
    """Tell glibc's malloc to keep freed memory.

    A child then uses the same pages again, already its own copies. Without this it gives them back and faults them in
    anew. Other C libraries have no such setting.
    """
    mallopt = getattr(_libc, "mallopt", None)
    if mallopt is not None:
        mallopt(_TRIM_THRESHOLD, 64 * 1024 * 1024)
        mallopt(_TOP_PAD, 1024 * 1024)
        mallopt(_MMAP_THRESHOLD, 1024 * 1024)


def fill_holes() -> None:
    """Fill the free places between what Python and malloc hold, so that whatever comes next lies together.

    Every import leaves holes all over the heap. A child that fills them copies a page for each.
    """
    _fill_python_heap()
    _fill_malloc_heap()


def _fill_python_heap() -> None:
    """Fill the pools of Python's small objects: one size after the other, until one comes from a new arena."""
    before = [each for each in _mappings() if each.rights == "rw-p" and each.path in ("", "[heap]")]
    sizes = range(512 - b"".__sizeof__(), 0, -16)
    makers: list[Callable[[], object]] = [partial(bytes, size) for size in sizes]
    makers += [lambda: 0.5 + len(_fillers), object]  # a float has 24 bytes, and an object 16
    for make in makers:
        while True:
            filler = make()
            _fillers.append(filler)
            if not any(each.start <= id(filler) < each.end for each in before):
                break


class _HeapUse(ctypes.Structure):
    """``struct mallinfo2``."""

    _fields_ = tuple(
        (name, ctypes.c_size_t)
        for name in "arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost".split()
    )


def _fill_malloc_heap() -> None:
    """Fill the free chunks of malloc's heap, from large to small, until what it gives lies at the heap's end."""
    if not hasattr(_libc, "mallinfo2"):
        return
    _libc.mallinfo2.restype = _HeapUse
    end = _libc.sbrk(0) - _libc.mallinfo2().keepcost
    for size in (*(2**bits for bits in range(19, 10, -1)), *range(1032, 8, -16)):
        while (chunk := _libc.malloc(size)) and chunk < end:
            pass
        _libc.free(chunk)


def gather_into_huge_pages() -> None:
    """Move this process's private memory into huge pages, as far as the kernel allows.

    A fork then copies one entry of the page table instead of 512, and the end of a child frees one. Together they take
    half the time (``python -m bench.sandbox``, "whole life").
    """
    for each in _mappings():
        if each.rights == "rw-p" and not each.path.startswith("/"):
            _libc.madvise(each.start, each.end - each.start, _MADV_COLLAPSE)


def forget_used_code() -> list[Mapping]:
    """Take the machine code of all files out of the page table, and return its mappings.

    There are none on machines whose huge pages are not 2 MiB.

    Its pages stay in the cache of files. Those that are in the page table later have been used since.
    """
    if platform.machine() != "x86_64" or not _huge_page_is_2_mib():
        return []
    code = [each for each in _mappings() if each.rights == "r-xp" and each.path.startswith("/")]
    for each in code:
        _libc.madvise(each.start, each.end - each.start, _MADV_DONTNEED)
    return code


def gather_code_into_huge_pages(code: Iterable[Mapping]) -> None:
    """Move the parts of some mappings that were used since ``forget_used_code`` into huge pages.

    A fork does not copy the page table of a file: each child maps its code anew, sixteen pages a fault. The copies have
    the same addresses, bytes and rights, belong to this process and its children alone, and are never writable and
    executable at once. What is not used is not worth the memory.
    """
    try:
        parts = [part for mapping in code for part in _used(mapping)]
    except OSError:  # this system does not tell which pages are mapped
        return
    for start, end in parts:
        if not _move_into_huge_pages(start, end - start):
            return


def _used(mapping: Mapping) -> list[tuple[int, int]]:
    """Return the beginnings and ends of those parts of a mapping, in whole huge pages, that are used enough."""
    parts: list[tuple[int, int]] = []
    with Path("/proc/self/pagemap").open("rb", buffering=0) as pagemap:
        for start in range(-(-mapping.start // _HUGE_BYTES) * _HUGE_BYTES, mapping.end - _HUGE_BYTES + 1, _HUGE_BYTES):
            pagemap.seek(start // _PAGE_BYTES * 8)
            entries = unpack(f"={_HUGE_BYTES // _PAGE_BYTES}Q", pagemap.read(_HUGE_BYTES // _PAGE_BYTES * 8))
            if sum(entry >> 63 for entry in entries) < _TEXT_PAGES_MIN:  # the bit says that a page is mapped
                continue
            begin = parts.pop()[0] if parts and parts[-1][1] == start else start  # one mapping for neighbours
            parts.append((begin, start + _HUGE_BYTES))
    return parts


def _move_into_huge_pages(start: int, length: int) -> bool:
    """Put a copy of the machine code at an address in its place. Return False, with nothing changed, if that fails."""
    room = _libc.mmap(None, length + _HUGE_BYTES, _PROT_READ | _PROT_WRITE, _PRIVATE_ANONYMOUS, -1, 0)
    if room == _FAILED:
        return False
    copy = -(-room // _HUGE_BYTES) * _HUGE_BYTES
    _libc.munmap(copy + length, room + _HUGE_BYTES - copy)
    if copy > room:
        _libc.munmap(room, copy - room)
    _libc.madvise(copy, length, _MADV_HUGEPAGE)
    ctypes.memmove(copy, start, length)
    is_huge = _libc.madvise(copy, length, _MADV_COLLAPSE) == 0
    is_code = is_huge and _libc.mprotect(copy, length, _PROT_READ | _PROT_EXEC) == 0
    if is_code and _libc.mremap(copy, length, length, _MAY_MOVE_FIXED, start) == start:
        return True
    _libc.munmap(copy, length)
    return False


def _huge_page_is_2_mib() -> bool:
    try:
        return int(Path("/sys/kernel/mm/transparent_hugepage/hpage_pmd_size").read_text()) == _HUGE_BYTES
    except (OSError, ValueError):  # no huge pages here
        return False


def _mappings() -> Iterator[Mapping]:
    for line in Path("/proc/self/maps").read_text().splitlines():
        addresses, rights, _, _, _, *path = line.split(maxsplit=5)
        start, end = (int(address, 16) for address in addresses.split("-"))
        yield Mapping(start, end, rights, path[0] if path else "")
