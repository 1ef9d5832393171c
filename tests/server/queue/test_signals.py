"""The bell: who waits for a submission is woken when it is done with, and not a moment later."""

from __future__ import annotations

import asyncio
import threading

import pytest

from exercises.instance import Kind
from server.grading.grade import FreshGrade
from server.queue.signals import REMEMBERED_SIGNALS, Signals
from server.tables import GradeRow
from tests.support.servers import PATIENCE_SECONDS


async def _heard(bell: Signals, submission_id: int) -> bool:
    """Whether the bell has just rung for a submission."""
    with bell.listening(submission_id) as rung:
        return rung.is_set()


async def _wait(bell: Signals, submission_id: int) -> None:
    """Wait until another thread rings."""
    with bell.listening(submission_id) as rung:
        ringer = threading.Thread(target=bell.notify, args=[submission_id])
        ringer.start()
        await asyncio.wait_for(rung.wait(), PATIENCE_SECONDS)
        ringer.join()


def test_it_is_heard_from_another_thread() -> None:
    asyncio.run(_wait(Signals(), 7))


def test_who_begins_to_wait_a_moment_too_late_hears_it() -> None:
    bell = Signals()
    bell.notify(7)
    assert asyncio.run(_heard(bell, 7))


@pytest.mark.parametrize("others", [[], [8, 9]])
def test_what_rings_for_others_is_not_heard(others: list[int]) -> None:
    bell = Signals()
    for each in others:
        bell.notify(each)
    assert not asyncio.run(_heard(bell, 7))


def test_only_the_last_rings_are_remembered() -> None:
    bell = Signals()
    for each in range(7, 7 + REMEMBERED_SIGNALS + 1):
        bell.notify(each)

    assert not asyncio.run(_heard(bell, 7))
    assert asyncio.run(_heard(bell, 8))


def test_everybody_who_waits_is_woken() -> None:
    bell = Signals()

    async def both() -> None:
        with bell.listening(7) as first, bell.listening(7) as second:
            bell.notify(7)
            await asyncio.wait_for(asyncio.gather(first.wait(), second.wait()), PATIENCE_SECONDS)

    asyncio.run(both())


def test_a_grade_is_handed_to_those_alone_who_wait() -> None:
    bell, grade = Signals(), FreshGrade(GradeRow.loaded(()), Kind.HIDDEN, ())

    async def listen() -> list[FreshGrade | None]:
        with bell.listening(7) as waiting, bell.listening(8) as other:
            bell.notify(7, grade)
            with bell.listening(7) as late:
                assert late.is_set()
                return [waiting.grade, other.grade, late.grade]

    assert asyncio.run(listen()) == [grade, None, None]


def test_a_ring_after_the_last_has_gone_wakes_nobody() -> None:
    bell = Signals()
    assert not asyncio.run(_heard(bell, 7))

    bell.notify(7)  # the loop of the one who waited is closed, and must not be called

    assert asyncio.run(_heard(bell, 7))
