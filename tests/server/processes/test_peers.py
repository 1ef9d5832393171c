"""Processes of one server tell each other, and share what is divided among them."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from server.processes.peers import Message, Peers


def processes(folder: Path, count: int) -> list[Peers]:
    """The processes of a server, all in this one."""
    made = Peers.make(count, folder)
    return [replace(made, number=number) for number in range(count)]


def test_a_message_reaches_all_others(tmp_path: Path) -> None:
    first, second, third = processes(tmp_path, 3)

    async def hear() -> list[list[int]]:
        heard: list[list[int]] = [[], [], []]
        for number, each in enumerate((first, second, third)):
            each.listen({Message.GRADED: heard[number].append})
        first.send(Message.GRADED, 7)
        first.send(Message.TICKETS, 1)  # nobody here listens to these
        second.send(Message.GRADED, 8)
        while heard != [[8], [7], [7, 8]]:
            await asyncio.sleep(0)
        return heard

    assert asyncio.run(asyncio.wait_for(hear(), 20))


def test_what_was_told_before_a_process_listens_is_heard(tmp_path: Path) -> None:
    first, second = processes(tmp_path, 2)
    for number in range(5000):
        first.send(Message.GRADED, number)

    async def hear() -> list[int]:
        heard: list[int] = []
        second.listen({Message.GRADED: heard.append})
        while len(heard) < 5000:
            await asyncio.sleep(0)
        return heard

    assert asyncio.run(asyncio.wait_for(hear(), 20)) == list(range(5000))


def test_a_process_that_does_not_listen_holds_nobody_up(tmp_path: Path) -> None:
    first, _ = processes(tmp_path, 2)

    for number in range(20_000):  # more than a pipe takes
        first.send(Message.GRADED, number)


@pytest.mark.parametrize(
    ("count", "shares"), [(1, [1, 1, 1]), (2, [1, 1, 1]), (3, [1, 1, 1]), (4, [2, 1, 1]), (8, [3, 3, 2])]
)
def test_shares_are_the_whole_and_nobody_has_none(tmp_path: Path, count: int, shares: list[int]) -> None:
    assert [each.share(count) for each in processes(tmp_path, 3)] == shares


def test_a_single_process_tells_nobody() -> None:
    alone = Peers.alone()

    alone.send(Message.GRADED, 1)

    assert (alone.share(5), alone.others(), alone.listener) == (5, {}, None)
