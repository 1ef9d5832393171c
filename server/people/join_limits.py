"""How often somebody may join: by address and by code.

A lecture hall of 300 behind one address joins within ten minutes with one code. A script that makes accounts has no
more than that. Failed tries count as those of pairing codes do. The processes of a server count together, in memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

from fastapi import Depends, Request

from server.accounts.tokens import digest, normalise_typed_code
from server.pairing.tries import Tries
from server.processes.shared_memory import SharedMemory

WINDOW_SECONDS = 600.0


class JoinLimits:
    """Counts who joins. Thread-safe.

    ``failures`` is how often an address may fail in a minute: a lecture hall types one code at the same time.
    """

    def __init__(
        self,
        memory: SharedMemory | None = None,
        *,
        per_address: int = 600,
        per_code: int = 600,
        in_all: int = 3000,
        failures: int = 120,
    ) -> None:
        memory = memory or SharedMemory()
        self._failures = Tries(per_address=failures, memory=memory, name="failed joins")
        self._by_address, self._by_code = (
            Tries(
                per_address=limit,
                in_all=in_all,
                window_seconds=WINDOW_SECONDS,
                refusal=refusal,
                memory=memory,
                name=name,
            )
            for limit, refusal, name in (
                (per_address, "Too many people joined from your network or on this server.", "joins by address"),
                (per_code, "Too many people joined with this code or on this server.", "joins by code"),
            )
        )

    @contextmanager
    def one(self, address: str, code: str) -> Iterator[None]:
        """Count a join from an address with a code, as it was typed.

        :raises TooManyTries: there were too many; ``Retry-After`` says in how many seconds there may be another
        """
        with self._failures.one(address):
            self._by_address.count(address)
            self._by_code.count(digest(normalise_typed_code(code)))
            yield


async def join_limits(request: Request) -> JoinLimits:
    """Return what counts the joins."""
    value = request.app.state.join_limits
    assert isinstance(value, JoinLimits)
    return value


TheJoinLimits = Annotated[JoinLimits, Depends(join_limits)]
