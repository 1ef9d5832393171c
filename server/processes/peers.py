"""What a server process shares with the others of its server, its peers."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path
from typing import Final, Self

from server.processes.shared_memory import Gauge, SharedLock, SharedMemory

_MESSAGE: Final = struct.Struct("<ii")
_READ_BYTES: Final = _MESSAGE.size * 4096  # whole messages: a pipe takes and gives each as one piece
_BACKLOG: Final = 64


class Message(IntEnum):
    """What a process tells the others, with a number."""

    GRADED = 1
    """This submission has a grade, or its run was lost."""

    TICKETS = 2
    """There are so many tickets that nobody of the sender is idle for."""


@dataclass(eq=False)
class Peers:
    """A process among the ``count`` of its server; ``number`` counts from 0. Made before they are forked.

    Each process has a pipe, whose end for reading the supervisor holds as well: it outlives the process, and what was
    written meanwhile wakes the next one. A message to a full pipe is lost. So a waiter looks for itself now and then.
    """

    count: int
    memory: SharedMemory
    write_lock: SharedLock | None = None
    """The turn to write to an SQLite database. None for a single process: threads take turns by themselves."""

    zygote: Path | None = None
    """The socket of the zygote that the supervisor keeps for all."""

    number: int = 0
    _pipes: list[tuple[int, int]] = field(default_factory=list)
    _listeners: list[socket.socket] = field(default_factory=list)
    _addresses: list[str] = field(default_factory=list)

    @classmethod
    def alone(cls) -> Self:
        """Return a process without others."""
        return cls(1, SharedMemory())

    @classmethod
    def make(cls, count: int, folder: Path) -> Self:
        """Return what so many processes share; each calls ``become`` after it was forked.

        :param folder: for their sockets; no other user may enter it
        """
        peers = cls(count, SharedMemory(SharedLock()), SharedLock())
        for number in range(count):
            reader, writer = os.pipe()
            os.set_blocking(reader, False)
            os.set_blocking(writer, False)
            peers._pipes.append((reader, writer))
            peers._addresses.append(os.fspath(folder / f"process-{number + 1}"))
            listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            listener.bind(peers._addresses[-1])
            listener.listen(_BACKLOG)
            peers._listeners.append(listener)
        return peers

    def become(self, number: int) -> None:
        """Be this process: a fork calls it first."""
        self.number = number

    def share(self, count: int) -> int:
        """Return how many of ``count`` things are this process's, at least 1."""
        return max(1, count // self.count + (self.number < count % self.count))

    def gauge(self, name: str, columns: int = 1) -> Gauge:
        """Return numbers of what is open in all processes; those of this one begin at 0."""
        return Gauge(self.memory, name, self.count, self.number, columns)

    @property
    def listener(self) -> socket.socket | None:
        """The socket on which this process answers its peers; None without any."""
        return self._listeners[self.number] if self._listeners else None

    def others(self) -> dict[int, str]:
        """Return the addresses of the others' sockets, by number."""
        return {number: address for number, address in enumerate(self._addresses) if number != self.number}

    def send(self, message: Message, number: int) -> None:
        """Tell all others. Thread-safe, and never waits."""
        content = _MESSAGE.pack(message, number)
        for other, (_, writer) in enumerate(self._pipes):
            if other != self.number:
                try:
                    os.write(writer, content)
                except BlockingIOError:
                    pass  # a process that reads nothing; it looks by itself when it reads again
                except OSError as error:
                    if error.errno != errno.EPIPE:
                        raise

    def listen(self, handlers: Mapping[Message, Callable[[int], object]]) -> Callable[[], None]:
        """Call handlers on the running loop for what the others tell; return what ends it."""
        if not self._pipes:
            return lambda: None
        reader, loop = self._pipes[self.number][0], asyncio.get_running_loop()

        def read() -> None:
            try:
                content = os.read(reader, _READ_BYTES)
            except BlockingIOError:
                return
            for message, number in _MESSAGE.iter_unpack(content):
                handler = handlers.get(Message(message))
                if handler is not None:
                    handler(number)

        def stop() -> None:
            loop.remove_reader(reader)

        loop.add_reader(reader, read)
        return stop
