"""Turns: a lease that is graded, given back or kept, on both databases."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlmodel import select

from grader.sandbox import Job, SandboxFault
from server.db import Database
from server.dispatch import tickets
from server.dispatch.tickets import Lease
from server.dispatch.turn import Turns
from server.models import Grade, Ticket, TicketState, now
from server.timing import Timing
from tests.server.house import IMPATIENT, SOLUTION, House, Straw, Student, eventually

pytestmark = pytest.mark.parametrize("engine", ["embedded-sqlite", "embedded-postgresql"])
DAY = 86_400.0


@pytest.fixture
def timing() -> Timing:
    """Leases of a day, renewed again and again."""
    return replace(IMPATIENT, lease_seconds=DAY, renew_seconds=0.02)


@pytest.fixture
def rung() -> list[int]:
    """The submissions that were rung for."""
    return []


@pytest.fixture
def turns(house: House, rung: list[int], timing: Timing) -> Iterator[Turns]:
    """Turns of a house whose own workers have gone home."""
    house.services.dispatcher.stop()
    services = house.services
    found = Turns(services.database, services.grading, services.workshop, rung.append, timing)
    found.begin()
    yield found
    found.end()


def take(database: Database) -> Lease:
    """Lease the first ticket."""
    with database.writing() as session:
        lease = tickets.take(session, DAY)
    assert lease is not None
    return lease


def the_ticket(database: Database) -> Ticket:
    """The one ticket there is."""
    with database.reading() as session:
        return session.exec(select(Ticket)).one()


def set_due(database: Database, seconds: float) -> None:
    """Let the one lease there is run out in so many seconds."""
    with database.writing() as session:
        session.exec(select(Ticket)).one().due_at = now() + timedelta(seconds=seconds)


class Held:
    """A run that goes on until it is let go."""

    def __init__(self, straw: Straw) -> None:
        self.begun, self.let_go = threading.Semaphore(0), threading.Event()
        straw.before = self

    def __call__(self, job: Job) -> None:
        """Wait."""
        if job.source:
            self.begun.release()
            self.let_go.wait(20)


def test_a_run_renews_its_lease_to_a_whole_one(house: House, turns: Turns, straw: Straw, ada: Student) -> None:
    ada.submit_code(SOLUTION, wait=0)
    database, held = house.services.database, Held(straw)
    lease = take(database)
    with ThreadPoolExecutor() as pool:
        turn = pool.submit(turns.see_through, lease)
        assert held.begun.acquire(timeout=20)

        set_due(database, 60)

        assert eventually(lambda: the_ticket(database).due_at > now() + timedelta(seconds=DAY / 2))
        held.let_go.set()
        assert turn.result(20)


def test_a_lease_is_renewed_after_a_renewal_that_failed(
    house: House, turns: Turns, straw: Straw, ada: Student, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada.submit_code(SOLUTION, wait=0)
    database, held = house.services.database, Held(straw)
    lease = take(database)
    failed, renew = threading.Event(), tickets.renew

    def fail_once(*arguments: object) -> None:
        monkeypatch.setattr(tickets, "renew", renew)
        failed.set()
        raise OSError("the database is away")

    monkeypatch.setattr(tickets, "renew", fail_once)
    with ThreadPoolExecutor() as pool:
        turn = pool.submit(turns.see_through, lease)
        assert held.begun.acquire(timeout=20)
        assert failed.wait(20)

        set_due(database, 60)

        assert eventually(lambda: the_ticket(database).due_at > now() + timedelta(seconds=DAY / 2))
        held.let_go.set()
        assert turn.result(20)


def test_a_ticket_in_two_turns_is_graded_once_and_rung_twice(
    house: House, turns: Turns, straw: Straw, ada: Student, rung: list[int]
) -> None:
    id = ada.submit_code(SOLUTION, wait=0).json()["id"]
    database, held = house.services.database, Held(straw)
    with ThreadPoolExecutor() as pool:
        first = pool.submit(turns.see_through, take(database))
        assert held.begun.acquire(timeout=20)
        with database.writing() as session:
            lease = tickets.claim(session, id, DAY)
        assert lease is not None
        second = pool.submit(turns.see_through, lease)
        assert held.begun.acquire(timeout=20)

        held.let_go.set()

        assert (first.result(20), second.result(20)) == (True, True)
    assert rung == [id, id]
    with database.reading() as session:
        assert len(session.exec(select(Grade)).all()) == 1
        assert session.exec(select(Ticket)).all() == []


@pytest.mark.parametrize("timing", [replace(IMPATIENT, retry_seconds=DAY)])
def test_a_lost_run_is_due_later_with_each_try(
    house: House, turns: Turns, straw: Straw, ada: Student, rung: list[int]
) -> None:
    id = ada.submit_code(SOLUTION, wait=0).json()["id"]
    database = house.services.database

    def lose(job: Job) -> None:
        if job.source:
            raise SandboxFault("the zygote died")

    straw.before = lose
    days = []
    for _ in range(tickets.MOST_TRIES):
        lease = take(database)
        tried_again = not turns.see_through(lease)
        ticket = the_ticket(database)
        days.append(round((ticket.due_at - now()) / timedelta(days=1)))
        assert tried_again is (ticket.state is TicketState.QUEUED)
        set_due(database, 0)

    assert days[:2] == [1, 2]
    assert (ticket.state, ticket.reason, ticket.tries) == (TicketState.QUARANTINED, "the zygote died", 3)
    assert rung == [id] * 3


def test_a_ticket_that_another_worker_graded_is_not_given_back(
    house: House, turns: Turns, straw: Straw, ada: Student
) -> None:
    ada.submit_code(SOLUTION, wait=0)
    database = house.services.database
    lease = take(database)
    with database.writing() as session:
        session.delete(session.exec(select(Ticket)).one())

    with database.writing() as session:
        assert not tickets.give_back(session, lease, "the zygote died", 0, blameless=False)
