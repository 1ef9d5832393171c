"""A cache that is bounded by the bytes of what it holds."""

from __future__ import annotations

import functools
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Final, Generic, TypeVar

from exercises.instance import Instance

MIB: Final = 1024 * 1024

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class ByteCache(Generic[Key, Value]):
    """Keeps what was made, and forgets what was asked for longest ago. Thread-safe.

    Two threads that ask for the same at once may both make it. A value larger than the cache is not kept.

    :param weigh: value → its bytes, asked once.
    """

    def __init__(self, bytes_max: int, weigh: Callable[[Value], int]) -> None:
        self._bytes_max = bytes_max
        self._weigh = weigh
        self._bytes = 0
        self._lock = threading.Lock()
        self._kept: OrderedDict[Key, tuple[Value, int]] = OrderedDict()  # the oldest first

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
            if key in self._kept or weight > self._bytes_max:
                return
            self._kept[key] = (value, weight)
            self._bytes += weight
            while self._bytes > self._bytes_max:
                _, (_, forgotten) = self._kept.popitem(last=False)
                self._bytes -= forgotten


def keep_by_instance(
    bytes_max: int, states: float
) -> Callable[[Callable[[Instance], Value]], Callable[[Instance], Value]]:
    """Keep what a function makes of an instance, for as many instances as these bytes hold, and for one at least.

    :param states: the size of what is made once it is full, as a multiple of the bytes of the forward state
    """

    def decorate(make: Callable[[Instance], Value]) -> Callable[[Instance], Value]:
        kept: ByteCache[Instance, tuple[Value, int]] = ByteCache(bytes_max, lambda pair: pair[1])

        @functools.wraps(make)
        def get(instance: Instance) -> Value:
            weight = min(round(states * len(instance.state)), bytes_max)
            return kept.get(instance, lambda: (make(instance), weight))[0]

        return get

    return decorate
