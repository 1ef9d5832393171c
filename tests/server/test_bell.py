"""The bell: who waits for a submission is woken when it is done with, and not a moment later."""

from __future__ import annotations

import asyncio
import threading

import pytest

from server.queue.signals import Signals


async def _heard(bell: Signals, submission_id: int) -> bool:
    with bell.listening(submission_id) as rung:
        try:
            await asyncio.wait_for(rung.wait(), 0.2)
        except TimeoutError:
            return False
        return True


def test_it_is_heard_from_another_thread() -> None:
    bell = Signals()
    ringer = threading.Timer(0.02, bell.notify, [7])
    ringer.start()
    assert asyncio.run(_heard(bell, 7))
    ringer.join()


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
