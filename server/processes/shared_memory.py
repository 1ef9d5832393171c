"""Memory that the processes of a server share, for what is counted across them.

The supervisor makes it before it forks. A part of it has a name: whichever process asks first for a name makes the
part, full of zeros, and the others find the same. Nothing is written to a disk, so what is counted of an address is
gone with the server.
"""

from __future__ import annotations

import ctypes
import errno
import hashlib
import json
import mmap
import os
import struct
import threading
import time
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Final, Self

MEMORY_BYTES: Final = 32 * 1024 * 1024  # only pages that are written take memory
_DIRECTORY_BYTES: Final = 4096
_DIRECTORY_LENGTH: Final = struct.Struct("<I")
_ALIGNMENT: Final = 64

LOCK_SECONDS: Final = 10.0  # a writer holds its turn for milliseconds; as long as SQLite waits for one
_MUTEX_BYTES: Final = 64  # more than ``pthread_mutex_t`` and ``pthread_mutexattr_t`` take: 40 and 4, 48 and 8 on ARM
_PROCESS_SHARED: Final = 1  # pthread.h
_ROBUST: Final = 1  # pthread.h

_waiting = ctypes.CDLL(None)  # lets go of the interpreter's lock while it waits
# Called with the interpreter's lock held: to let go of it costs up to 5 ms in a busy process, and this call nothing.
_prompt = ctypes.PyDLL(None)


class _Timespec(ctypes.Structure):
    """A moment of ``CLOCK_REALTIME`` (``timespec(3type)``)."""

    _fields_ = (("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long))


class LockTimeout(TimeoutError):
    """Another process holds a lock for too long: it was probably stopped."""


class SharedLock:
    """A lock between the threads and the processes of a server. A process that dies lets go of it.

    It is a robust mutex in memory that forks share (``pthread_mutexattr_setrobust(3)``). A process that is stopped
    keeps it, so nobody waits for longer than ``seconds``. ``flock`` cannot wait for a limited time.
    """

    def __init__(self, seconds: float = LOCK_SECONDS) -> None:
        self._seconds = seconds
        self._memory = mmap.mmap(-1, mmap.PAGESIZE)
        self._mutex = (ctypes.c_char * _MUTEX_BYTES).from_buffer(self._memory)
        attributes = (ctypes.c_char * _MUTEX_BYTES)()
        _done(_prompt.pthread_mutexattr_init(attributes))
        _done(_prompt.pthread_mutexattr_setpshared(attributes, _PROCESS_SHARED))
        _done(_prompt.pthread_mutexattr_setrobust(attributes, _ROBUST))
        _done(_prompt.pthread_mutex_init(self._mutex, attributes))
        _done(_prompt.pthread_mutexattr_destroy(attributes))

    def __enter__(self) -> None:
        """Take the lock.

        :raises LockTimeout: another process or thread has held it all the time
        """
        code = _prompt.pthread_mutex_trylock(self._mutex)
        if code == errno.EBUSY:
            seconds, rest = divmod(time.time() + self._seconds, 1)
            until = _Timespec(int(seconds), int(rest * 1e9))
            code = _waiting.pthread_mutex_timedlock(self._mutex, ctypes.byref(until))
        if code == errno.EOWNERDEAD:  # the holder died, and the lock is this thread's
            code = _prompt.pthread_mutex_consistent(self._mutex)
        if code == errno.ETIMEDOUT:
            raise LockTimeout(
                f"A process of this server held a lock for {self._seconds:g} s. If it stands still, continue or end it."
            )
        _done(code)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let go of the lock; the thread that took it does so."""
        _done(_prompt.pthread_mutex_unlock(self._mutex))


def _done(code: int) -> None:
    """Check what a function of pthreads returned.

    :raises OSError: it failed
    """
    if code != 0:
        raise OSError(code, os.strerror(code))


class SharedMemory:
    """Named parts of memory. ``lock`` guards what stands in it: by default against the threads of this process alone.

    A fork shares the memory; then ``lock`` must be a ``SharedLock``.
    """

    def __init__(self, lock: AbstractContextManager[object] | None = None, size: int = MEMORY_BYTES) -> None:
        self.lock = lock or threading.Lock()
        self._memory = memoryview(mmap.mmap(-1, size))
        self._size = size

    def part(self, name: str, size: int) -> memoryview:
        """Return the part of a name, aligned for any number; it is made of zeros if there is none.

        :raises MemoryError: there is no room left
        """
        with self.lock:
            directory = self._read_directory()
            if name not in directory:
                begin = max((begin + taken for begin, taken in directory.values()), default=_DIRECTORY_BYTES)
                begin += -begin % _ALIGNMENT
                if begin + size > self._size:
                    raise MemoryError(f"{size} bytes of shared memory for {name!r} have no room")
                directory[name] = (begin, size)
                self._write_directory(directory)
            begin, taken = directory[name]
        assert taken == size, f"{name!r} has {taken} bytes, not {size}"
        return self._memory[begin : begin + size]

    def _read_directory(self) -> dict[str, tuple[int, int]]:
        (length,) = _DIRECTORY_LENGTH.unpack_from(self._memory)
        if length == 0:
            return {}
        text = bytes(self._memory[_DIRECTORY_LENGTH.size : _DIRECTORY_LENGTH.size + length])
        return {name: (begin, size) for name, (begin, size) in json.loads(text).items()}

    def _write_directory(self, directory: dict[str, tuple[int, int]]) -> None:
        text = json.dumps(directory).encode()
        assert _DIRECTORY_LENGTH.size + len(text) <= _DIRECTORY_BYTES
        self._memory[_DIRECTORY_LENGTH.size : _DIRECTORY_LENGTH.size + len(text)] = text
        _DIRECTORY_LENGTH.pack_into(self._memory, 0, len(text))


class Gauge:
    """Numbers of things that are open now, such as connections, in all processes.

    Each process has a row that only one of its threads writes, so no lock is needed. A process that begins has a row of
    zeros: what its predecessor had open is gone.

    :param row: the number of this process, from 0
    :param columns: how many numbers each process has
    """

    def __init__(self, memory: SharedMemory, name: str, rows: int, row: int, columns: int) -> None:
        cells = memory.part(name, 4 * rows * columns).cast("I")
        self._columns = columns
        self._rows = [cells[columns * each : columns * (each + 1)] for each in range(rows)]
        self._own = self._rows[row]
        for column in range(columns):
            self._own[column] = 0

    def add(self, column: int, count: int) -> None:
        """Count so many more, or fewer, in this process. Columns go round: number 7 of 5 columns is number 2."""
        self._own[column % self._columns] += count

    def set(self, column: int, count: int) -> None:
        """Write how many there are in this process."""
        self._own[column % self._columns] = count

    def total(self, column: int) -> int:
        """Return how many there are in all processes."""
        return sum(row[column % self._columns] for row in self._rows)

    def others(self, column: int) -> int:
        """Return how many there are in all other processes."""
        return self.total(column) - self._own[column % self._columns]


class MomentLog:
    """The newest moments at which something happened, the oldest first, each with whom it counts for.

    Callers hold ``with log:`` around what belongs together.
    """

    def __init__(self, memory: SharedMemory, name: str, capacity: int) -> None:
        part = memory.part(name, 8 + 16 * capacity)
        self._lock = memory.lock
        self._length = part[:8].cast("Q")
        self._moments = part[8 : 8 + 8 * capacity].cast("d")
        self._keys = part[8 + 8 * capacity :].cast("Q")

    def __enter__(self) -> Self:
        self._lock.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._lock.__exit__(kind, error, trace)

    def drop_until(self, moment: float) -> None:
        """Forget what happened until then."""
        old = sum(each <= moment for each in self.moments())
        self._close_gap(0, old)

    def moments(self, key: int | None = None) -> list[float]:
        """Return when it happened, to all or to one."""
        length = self._length[0]
        moments: list[float] = self._moments[:length].tolist()  # type: ignore[assignment]  # of "d"
        if key is None:
            return moments
        return [moment for moment, other in zip(moments, self._keys[:length], strict=True) if other == key]

    def append(self, moment: float, key: int) -> None:
        """Note that it happens. The caller has seen to it that there is room."""
        length = self._length[0]
        self._moments[length], self._keys[length] = moment, key
        self._length[0] = length + 1

    def remove(self, moment: float, key: int) -> None:
        """Take back what was noted, if it is not forgotten yet."""
        for place, entry in enumerate(zip(self._moments[: self._length[0]], self._keys, strict=False)):
            if entry == (moment, key):
                self._close_gap(place, 1)
                return

    def _close_gap(self, begin: int, count: int) -> None:
        length = self._length[0]
        for column in (self._moments, self._keys):
            column[begin : length - count] = column[begin + count : length]
        self._length[0] = length - count


class Pace:
    """The last ``count`` moments of each number, such as an account, in a table of ``rows``.

    Numbers that are ``rows`` apart share a row, and so a pace.
    """

    def __init__(self, memory: SharedMemory, name: str, rows: int, count: int) -> None:
        part = memory.part(name, 8 * rows * (count + 1))
        self._lock = memory.lock
        self._rows = rows
        self._count = count
        self._next = part[: 8 * rows].cast("Q")
        self._moments = part[8 * rows :].cast("d")

    def note(self, number: int, moment: float, seconds: float) -> float:
        """Note a moment unless ``count`` were noted within the last ``seconds``; return how long it is until then."""
        row = number % self._rows
        with self._lock:
            place = self._next[row]
            free_at = self._moments[row * self._count + place]  # 0 at first, which is long ago
            if free_at > moment:
                return free_at - moment
            self._moments[row * self._count + place] = moment + seconds
            self._next[row] = (place + 1) % self._count
            return 0.0


def key_of(text: str) -> int:
    """Return the number that stands for a text in a ``MomentLog``: the same in every process."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest())
