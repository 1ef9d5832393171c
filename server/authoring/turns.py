"""Turns to have a forward pass tried: one at a time in a process, and nobody has all of them."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable
from typing import Annotated, Final

from fastapi import Depends, Request
from starlette.concurrency import run_in_threadpool

from server.authoring.trial import Trial, Wanted, try_apart
from server.processes.shared_memory import Pace, SharedMemory
from server.submissions.rate_limit import TooFast

TRIALS_PER_MINUTE: Final = 10
WINDOW_SECONDS: Final = 60.0
RETRY_SECONDS: Final = 10
ACCOUNTS_MAX: Final = 10_000  # accounts so many apart count together


class Trials:
    """Tries forward passes. Each costs seconds, and much memory.

    :param memory: of all processes of the server, which count together
    """

    def __init__(
        self,
        memory: SharedMemory,
        try_: Callable[[Wanted], Trial] = try_apart,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._pace = Pace(memory, "forward passes tried in a minute", ACCOUNTS_MAX, TRIALS_PER_MINUTE)
        self._try = try_
        self._clock = clock
        self._turn = asyncio.Semaphore(1)
        self._waiting: set[int] = set()  # accounts that wait here, or whose turn it is

    async def of(self, account_id: int, wanted: Wanted) -> Trial:
        """Try a forward pass of an account, once it is its turn.

        :raises TooFast: the account has had as many as it may, or one that is not done; ``Retry-After`` says in how
            many seconds it may again
        """
        if account_id in self._waiting:
            raise TooFast(
                "Your last forward pass is still being read. Wait until it is done, and read this one again.",
                {"Retry-After": str(RETRY_SECONDS)},
            )
        seconds = math.ceil(self._pace.note(account_id, self._clock(), WINDOW_SECONDS))
        if seconds > 0:
            raise TooFast(
                f"You have had {TRIALS_PER_MINUTE} forward passes read within a minute, the limit here. "
                f"Wait {seconds} s, and read it again.",
                {"Retry-After": str(seconds)},
            )
        self._waiting.add(account_id)
        try:
            async with self._turn:
                return await run_in_threadpool(self._try, wanted)
        finally:
            self._waiting.discard(account_id)


async def trials(request: Request) -> Trials:
    """Return what tries forward passes."""
    value = request.app.state.trials
    assert isinstance(value, Trials)
    return value


TheTrials = Annotated[Trials, Depends(trials)]
