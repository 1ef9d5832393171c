"""Waiting for a grade without holding a thread or a connection."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from starlette.concurrency import run_in_threadpool

from server.database.engine import Database
from server.queue.signals import Signals
from server.queue.timing import Timing
from server.submissions.present import GRADED
from server.submissions.queries import HAS_GRADE
from server.submissions.schemas import SubmissionBody
from server.tables import TicketState

FINAL_STATUSES = (GRADED, TicketState.CANCELLED, TicketState.QUARANTINED)

Read = Callable[[], SubmissionBody]


@dataclass(frozen=True)
class Follower:
    """Follows submissions until their grade, woken by signals. A signal may be lost, so it also looks itself."""

    database: Database
    signals: Signals
    timing: Timing

    async def wait(self, submission_id: int, read: Read, seconds: float) -> SubmissionBody:
        """Return a submission once it is graded, or as it is after so many seconds."""
        clock = asyncio.get_running_loop().time
        deadline = clock() + seconds
        with self.signals.listening(submission_id) as signal:
            while (left := deadline - clock()) > 0:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(signal.wait(), min(left, self.timing.wait_look_seconds))
                if signal.is_set() or await run_in_threadpool(self._is_graded, submission_id):
                    signal.clear()  # a lost run signals too
                    submission = await run_in_threadpool(read)
                    if submission.status == GRADED:
                        return submission
        return await run_in_threadpool(read)

    async def changes(self, submission_id: int, read: Read) -> AsyncIterator[SubmissionBody]:
        """Yield a submission now, and each time its status or its place changes, until nothing more will."""
        last = None
        with self.signals.listening(submission_id) as signal:
            while True:
                signal.clear()
                submission = await run_in_threadpool(read)
                if (submission.status, submission.place) != last:
                    last = (submission.status, submission.place)
                    yield submission
                if submission.status in FINAL_STATUSES:
                    return
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(signal.wait(), self.timing.follow_look_seconds)

    def _is_graded(self, submission_id: int) -> bool:
        with self.database.reading() as session:
            return session.connection().execute(HAS_GRADE, {"submission_id": submission_id}).first() is not None
