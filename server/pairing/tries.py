"""How often somebody may try a code, or join.

A code is one of 5.9e14, and lives for ten minutes. With 600 failed tries a minute and 10,000 codes that wait, somebody
finds one within ten minutes with a chance of 1e-7. The processes of a server count together, in memory: no address is
kept.
Behind a proxy that uvicorn does not trust (``FORWARDED_ALLOW_IPS``), all callers have the proxy's address.
"""

from __future__ import annotations

import ipaddress
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from server.http.problems import Problem
from server.processes.shared_memory import MomentLog, SharedMemory, key_of

WINDOW_SECONDS = 60.0
IPV6_PREFIX = 64  # one subscriber has a whole network of this size


class TooManyTries(Problem):
    """Too many codes that do not exist were tried within a minute, or too many people joined at once."""

    status, title, slug = 429, "Too many tries", "too-many-tries"


class Tries:
    """The tries of the last minute that failed, or whose end is not known yet. Thread-safe.

    ``per_address`` is generous, because a lecture hall may share one address.

    :param memory: of all processes of the server, and ``name`` of its part for these tries
    """

    def __init__(
        self,
        *,
        per_address: int = 30,
        in_all: int = 600,
        window_seconds: float = WINDOW_SECONDS,
        refusal: str = "Too many codes were tried from your network or on this server.",
        now: Callable[[], float] = time.monotonic,
        memory: SharedMemory | None = None,
        name: str = "tries",
    ) -> None:
        self._per_address = per_address
        self._in_all = in_all
        self._window_seconds = window_seconds
        self._refusal = refusal
        self._now = now
        self._log = MomentLog(memory or SharedMemory(), name, in_all)  # it never takes more

    @contextmanager
    def one(self, address: str) -> Iterator[None]:
        """Count a try until it succeeds; one that ends with an exception stays counted.

        :raises TooManyTries: there were too many; ``Retry-After`` says in how many seconds there may be another
        """
        moment, key = self._take(network_of(address))
        yield
        with self._log as log:
            log.remove(moment, key)

    def count(self, caller: str) -> None:
        """Count what stays counted, whether it succeeds or not; an address counts as its network.

        :raises TooManyTries: there were too many
        """
        self._take(network_of(caller))

    def _take(self, network: str) -> tuple[float, int]:
        key = key_of(network)
        with self._log as log:
            moment = self._now()
            log.drop_until(moment - self._window_seconds)
            for began, limit in ((log.moments(key), self._per_address), (log.moments(), self._in_all)):
                if len(began) >= limit:
                    raise _too_many(self._refusal, began[0] + self._window_seconds - moment)
            log.append(moment, key)
            return moment, key


def network_of(address: str) -> str:
    """Return what counts as one caller: an IPv4 address, or the network of an IPv6 address."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:  # a unix socket has no address
        return address
    if ip.version == 4:
        return str(ip)
    if ip.ipv4_mapped is not None:
        return str(ip.ipv4_mapped)
    return str(ipaddress.ip_network((ip, IPV6_PREFIX), strict=False))


def _too_many(refusal: str, seconds: float) -> TooManyTries:
    wait = math.ceil(seconds)
    return TooManyTries(f"{refusal} Wait {wait} s, then type yours once more.", {"Retry-After": str(wait)})
