"""A cache that is bounded by the bytes of what it holds."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Final, Generic, TypeVar

MIB: Final = 1024 * 1024

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class ByteCache(Generic[Key, Value]):
    """Keeps what was made, and forgets what was asked for longest ago. Thread-safe.

    Two threads that ask for the same at once may both make it. A value larger than the cache is not kept.

    :param weigh: value → its bytes, asked once.
    :param newest_stays: the newest value is kept even if it is larger than the cache, alone
    """

    def __init__(self, bytes_max: int, weigh: Callable[[Value], int], newest_stays: bool = False) -> None:
        self._newest_stays = newest_stays
        self._bytes_max = bytes_max
        self._weigh = weigh
        self._bytes = 0
        self._lock = threading.Lock()
        self._kept: OrderedDict[Key, tuple[Value, int]] = OrderedDict()  # the oldest first

    def __contains__(self, key: object) -> bool:
        """Return whether the value of a key is there."""
        return key in self._kept

    def bound(self, bytes_max: int) -> None:
        """Set another bound, before or after values were made."""
        with self._lock:
            self._bytes_max = bytes_max
            self._forget_oldest()

    def get(self, key: Key, make: Callable[[], Value]) -> Value:
        """Return the value of a key, made now if it is not there."""
        with self._lock:
            kept = self._kept.get(key)
            if kept is not None:
                self._kept.move_to_end(key)
                return kept[0]
        value = make()
        self._keep(key, value, self._weigh(value))
        return value

    def _keep(self, key: Key, value: Value, weight: int) -> None:
        with self._lock:
            if key in self._kept or (weight > self._bytes_max and not self._newest_stays):
                return
            self._kept[key] = (value, weight)
            self._bytes += weight
            self._forget_oldest()

    def _forget_oldest(self) -> None:
        while self._bytes > self._bytes_max and len(self._kept) > self._newest_stays:
            _, (_, forgotten) = self._kept.popitem(last=False)
            self._bytes -= forgotten
