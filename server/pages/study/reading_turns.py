"""Turns to have a file read: one file at a time, and nobody has all the turns."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Annotated, Final

from fastapi import Depends, Request

from server.processes.shared_memory import Pace, SharedMemory
from server.submissions.rate_limit import TooFast

FILES_PER_MINUTE: Final = 12
WINDOW_SECONDS: Final = 60.0
ACCOUNTS_MAX: Final = 10_000  # accounts so many apart count together


class ReadingTurns:
    """Lets files be read. A large notebook costs seconds and much memory.

    :param memory: of all processes of the server, which count together
    """

    def __init__(self, memory: SharedMemory, clock: Callable[[], float] = time.monotonic) -> None:
        self._pace = Pace(memory, "files read in a minute", ACCOUNTS_MAX, FILES_PER_MINUTE)
        self._clock = clock
        self._turn = asyncio.Semaphore(1)

    @asynccontextmanager
    async def one(self, account_id: int) -> AsyncIterator[None]:
        """Wait for a turn of an account, and hold it.

        :raises TooFast: the account has had as many as it may; ``Retry-After`` says in how many seconds it may again
        """
        seconds = math.ceil(self._pace.note(account_id, self._clock(), WINDOW_SECONDS))
        if seconds > 0:
            raise TooFast(
                f"You have had {FILES_PER_MINUTE} files read within a minute, the limit here. "
                f"Wait {seconds} s, and take the file again.",
                {"Retry-After": str(seconds)},
            )
        async with self._turn:
            yield


async def reading_turns(request: Request) -> ReadingTurns:
    """Return what lets files be read."""
    value = request.app.state.reading_turns
    assert isinstance(value, ReadingTurns)
    return value


TheReadingTurns = Annotated[ReadingTurns, Depends(reading_turns)]
