"""Following submissions: one look for all, however many listen, and a few streams for a person."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace

import pytest
from sqlmodel import Session

from server.database.engine import Database
from server.database.table import now
from server.processes.peers import Peers
from server.processes.shared_memory import Gauge, SharedMemory
from server.queue.signals import Signals
from server.queue.tickets import Standing
from server.queue.timing import Timing
from server.submissions.follow import STREAM_COLUMNS, STREAMS_MAX, Follower, TooManyStreams
from server.submissions.schemas import SubmissionBody
from server.tables import AnswerKind, TicketState

pytestmark = pytest.mark.parametrize("url", ["sqlite"], indirect=True)

LISTENERS = 20


class Queue:
    """A queue whose places a test moves, and what was asked of it."""

    def __init__(self) -> None:
        self.places: dict[int, int | None] = {1: 3, 2: 7}
        self.looks: list[Sequence[int]] = []
        self.reads = 0

    def standings(self, _: Session, ids: Sequence[int]) -> Mapping[int, Standing]:
        self.looks.append(ids)
        places = {id: self.places[id] for id in ids}
        return {id: Standing(TicketState.QUEUED, place, 1) for id, place in places.items() if place is not None}

    def read(self, id: int) -> SubmissionBody:
        self.reads += 1
        place = self.places[id]
        return SubmissionBody(
            id=id,
            course="backprop",
            exercise="a/b",
            revision=1,
            attempt=1,
            kind=AnswerKind.CODE,
            filename=None,
            status="queued" if place is not None else "graded",
            place=place,
            estimate=1,
            created_at=now(),
            grade=None,
        )


@pytest.fixture
def queue() -> Queue:
    return Queue()


@pytest.fixture
def follower(database: Database, queue: Queue, timing: Timing) -> Follower:
    streams = Peers.alone().gauge("streams", STREAM_COLUMNS)
    return Follower(database, Signals(), replace(timing, follow_look_seconds=0.01), queue.standings, streams)


async def looks(queue: Queue, count: int) -> None:
    """Wait for so many looks more."""
    wanted = len(queue.looks) + count
    while len(queue.looks) < wanted:
        await asyncio.sleep(0.001)


def test_one_look_asks_for_all_however_many_listen(follower: Follower, queue: Queue) -> None:
    async def follow() -> list[list[int | None]]:
        async def places(id: int, account: int) -> list[int | None]:
            return [each.place async for each in follower.changes(id, account, lambda: queue.read(id))]

        ids = [1 + number % 2 for number in range(LISTENERS)]
        tasks = [asyncio.create_task(places(id, account)) for account, id in enumerate(ids)]
        await looks(queue, 3)
        first = queue.reads
        await looks(queue, 5)
        assert queue.reads == first  # nothing moved, so nobody read
        queue.places[1] = 2
        await looks(queue, 3)
        queue.places.update({1: None, 2: None})
        return list(await asyncio.gather(*tasks))

    told = asyncio.run(follow())

    assert told == [[3, 2, None], [7, None]] * (LISTENERS // 2)
    assert max(map(len, queue.looks)) == 2
    assert all(len(set(ids)) == len(ids) for ids in queue.looks)


def test_a_person_has_a_few_streams_and_gets_them_back(follower: Follower, queue: Queue) -> None:
    async def follow() -> None:
        def stream(account: int) -> AsyncIterator[SubmissionBody]:
            return follower.changes(1, account, lambda: queue.read(1))

        mine = [stream(5) for _ in range(STREAMS_MAX)]
        for each in mine:
            follower.require_room(5)
            await anext(each)
        with pytest.raises(TooManyStreams):
            follower.require_room(5)
        follower.require_room(6)
        await mine[0].aclose()  # type: ignore[attr-defined]
        follower.require_room(5)
        for each in mine:
            await each.aclose()  # type: ignore[attr-defined]

    asyncio.run(follow())


def test_streams_of_all_processes_count(database: Database, queue: Queue, timing: Timing) -> None:
    memory = SharedMemory()
    first, second = (
        Follower(database, Signals(), timing, queue.standings, Gauge(memory, "streams", 2, row, STREAM_COLUMNS))
        for row in range(2)
    )

    async def follow() -> None:
        streams = [first.changes(1, 5, lambda: queue.read(1)) for _ in range(STREAMS_MAX)]
        for each in streams:
            await anext(each)
        with pytest.raises(TooManyStreams):
            second.require_room(5)
        for each in streams:
            await each.aclose()  # type: ignore[attr-defined]
        second.require_room(5)

    asyncio.run(follow())


def test_nobody_looks_when_nobody_listens(follower: Follower, queue: Queue) -> None:
    async def follow() -> int:
        stream = follower.changes(1, 5, lambda: queue.read(1))
        await anext(stream)
        await looks(queue, 2)
        await stream.aclose()  # type: ignore[attr-defined]
        await asyncio.sleep(0.05)
        before = len(queue.looks)
        await asyncio.sleep(0.05)
        return len(queue.looks) - before

    assert asyncio.run(follow()) == 0
