"""Waiting for a grade without holding a thread or a connection."""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from sqlmodel import Session
from starlette.concurrency import run_in_threadpool

from server.database.engine import Database
from server.database.outage import DatabaseUnavailable
from server.grading.grade import FreshGrade
from server.http.problems import Problem
from server.processes.shared_memory import Gauge
from server.queue.signals import Signals
from server.queue.tickets import Standing
from server.queue.timing import Timing
from server.submissions.present import GRADED
from server.submissions.queries import HAS_GRADE
from server.submissions.schemas import SubmissionBody
from server.tables import TicketState

FINAL_STATUSES = (GRADED, TicketState.CANCELLED, TicketState.QUARANTINED)
STREAMS_MAX = 8  # of a person: a browser's tabs and a terminal
STREAM_COLUMNS = 16_384  # of the gauge; accounts so many apart count together

Read = Callable[[], SubmissionBody]
ReadGraded = Callable[[FreshGrade | None], SubmissionBody]
ReadStandings = Callable[[Session, Sequence[int]], Mapping[int, Standing]]


class TooManyStreams(Problem):
    """A person follows as many submissions as they may."""

    status, title, slug = 429, "Too many streams", "too-many-streams"


class Follower:
    """Follows submissions until their grade, woken by signals. A signal may be lost, so it also looks itself.

    One look each second asks for all places that somebody follows, however many listen.
    """

    def __init__(
        self, database: Database, signals: Signals, timing: Timing, standings: ReadStandings, streams: Gauge
    ) -> None:
        self._database = database
        self._signals = signals
        self._timing = timing
        self._standings = standings
        self._streams = streams  # by account, of all processes
        self._listeners: dict[int, set[asyncio.Event]] = defaultdict(set)  # by submission
        self._looking: asyncio.Task[None] | None = None

    async def wait(self, submission_id: int, read: ReadGraded, seconds: float) -> SubmissionBody:
        """Return a submission once it is graded, or as it is after so many seconds.

        :param read: is given the grade if this process has just stored it.
        """
        clock = asyncio.get_running_loop().time
        deadline = clock() + seconds
        with self._signals.listening(submission_id) as signal:
            while (left := deadline - clock()) > 0:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(signal.wait(), min(left, self._timing.wait_look_seconds))
                if signal.is_set() or await run_in_threadpool(self._is_graded, submission_id):
                    signal.clear()  # a lost run signals too
                    submission = await run_in_threadpool(read, signal.grade)
                    if submission.status == GRADED:
                        return submission
        return await run_in_threadpool(read, None)

    def require_room(self, account_id: int) -> None:
        """Do nothing if an account may open one stream more.

        :raises TooManyStreams: it has as many as it may
        """
        if self._streams.total(account_id) >= STREAMS_MAX:
            raise TooManyStreams(
                f"You follow {STREAMS_MAX} submissions already, as many as a person may. Close one of them first.",
                {"Retry-After": "5"},
            )

    async def changes(self, submission_id: int, account_id: int, read: Read) -> AsyncIterator[SubmissionBody]:
        """Yield a submission now, and each time its status or its place changes, until nothing more will."""
        last = None
        with (
            self.counted(account_id),
            self._signals.listening(submission_id) as signal,
            self._following(submission_id, signal),
        ):
            while True:
                signal.clear()
                submission = await run_in_threadpool(read)
                if (submission.status, submission.place) != last:
                    last = (submission.status, submission.place)
                    yield submission
                if submission.status in FINAL_STATUSES:
                    return
                await signal.wait()

    @contextmanager
    def counted(self, account_id: int) -> Iterator[None]:
        """Count one stream more of an account."""
        self._streams.add(account_id, 1)
        try:
            yield
        finally:
            self._streams.add(account_id, -1)

    @contextmanager
    def _following(self, submission_id: int, changed: asyncio.Event) -> Iterator[None]:
        """Have an event set when the place of a submission changes."""
        self._listeners[submission_id].add(changed)
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look_on())
        try:
            yield
        finally:
            self._listeners[submission_id].discard(changed)
            if not self._listeners[submission_id]:
                del self._listeners[submission_id]

    async def _look_on(self) -> None:
        """Look at what is followed until nothing is."""
        seen: Mapping[int, Standing] = {}
        while self._listeners:
            with contextlib.suppress(DatabaseUnavailable):  # the next look finds it
                found = await run_in_threadpool(self._look, list(self._listeners))
                for submission_id, listeners in self._listeners.items():
                    if found.get(submission_id) != seen.get(submission_id):
                        for event in listeners:
                            event.set()
                seen = found
            await asyncio.sleep(self._timing.follow_look_seconds)

    def _look(self, submission_ids: Sequence[int]) -> Mapping[int, Standing]:
        with self._database.reading() as session:
            return self._standings(session, submission_ids)

    def _is_graded(self, submission_id: int) -> bool:
        with self._database.reading() as session:
            return HAS_GRADE.first(session, {"submission_id": submission_id}) is not None
