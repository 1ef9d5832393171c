"""Following training runs by events: one look each second for all that somebody follows."""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from sqlmodel import col, select
from starlette.concurrency import run_in_threadpool

from server.database.engine import Database
from server.database.outage import DatabaseUnavailable
from server.submissions.follow import Follower
from server.tables import TrainingRunRow
from server.training.run import TrainingRun

Read = Callable[[], TrainingRun]


class TrainingFollower:
    """Follows runs until their end. A person's streams count together with those of their submissions.

    :param look_seconds: between two looks
    """

    def __init__(self, database: Database, streams: Follower, look_seconds: float) -> None:
        self._database = database
        self._streams = streams
        self._look_seconds = look_seconds
        self._listeners: dict[int, set[asyncio.Event]] = defaultdict(set)  # by run
        self._looking: asyncio.Task[None] | None = None

    def require_room(self, account_id: int) -> None:
        """Do nothing if an account may open one stream more.

        :raises TooManyStreams: it has as many as it may
        """
        self._streams.require_room(account_id)

    async def changes(self, run_id: int, account_id: int, read: Read) -> AsyncIterator[TrainingRun]:
        """Yield a run now, and each time it moves, until it is over."""
        last = None
        changed = asyncio.Event()
        with self._streams.counted(account_id), self._following(run_id, changed):
            while True:
                changed.clear()
                run = await run_in_threadpool(read)
                if run.moved != last:
                    last = run.moved
                    yield run
                if not run.is_live:
                    return
                await changed.wait()

    @contextmanager
    def _following(self, run_id: int, changed: asyncio.Event) -> Iterator[None]:
        """Have an event set when a run moves."""
        self._listeners[run_id].add(changed)
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look_on())
        try:
            yield
        finally:
            self._listeners[run_id].discard(changed)
            if not self._listeners[run_id]:
                del self._listeners[run_id]

    async def _look_on(self) -> None:
        """Look at what is followed until nothing is."""
        seen: Mapping[int, int] = {}
        while self._listeners:
            with contextlib.suppress(DatabaseUnavailable):  # the next look finds it
                found = await run_in_threadpool(self._look, list(self._listeners))
                for run_id, listeners in self._listeners.items():
                    if found.get(run_id) != seen.get(run_id):
                        for event in listeners:
                            event.set()
                seen = found
            await asyncio.sleep(self._look_seconds)

    def _look(self, run_ids: Sequence[int]) -> Mapping[int, int]:
        moves = select(TrainingRunRow.id, TrainingRunRow.moved).where(col(TrainingRunRow.id).in_(run_ids))
        with self._database.reading() as session:
            return dict(session.exec(moves).all())
