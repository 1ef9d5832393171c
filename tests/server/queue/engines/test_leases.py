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
from server.database.engine import Database
from server.database.table import now
from server.queue import queries, tickets
from server.queue.leases import LeaseKeeper
from server.queue.tickets import Lease
from server.queue.timing import Timing
from server.tables import GradeRow, TicketRow, TicketState
from tests.support.servers import (
    HOLD_SECONDS,
    IMPATIENT,
    PATIENCE_SECONDS,
    SOLUTION,
    FakeSandbox,
    RunningServer,
    Student,
    eventually,
)

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
def turns(server: RunningServer, rung: list[int], timing: Timing) -> Iterator[LeaseKeeper]:
    """Turns of a server whose own workers have gone home."""
    server.services.dispatcher.stop()
    services = server.services
    found = LeaseKeeper(
        services.database, services.grading, services.code_runner, rung.append, timing, services.metrics
    )
    found.start()
    yield found
    found.stop()


def take(database: Database) -> Lease:
    """Lease the first ticket."""
    with database.writing() as session:
        lease = tickets.take(session, DAY)
    assert lease is not None
    return lease


def the_ticket(database: Database) -> TicketRow:
    """The one ticket there is."""
    with database.reading() as session:
        return session.exec(select(TicketRow)).one()


def set_due(database: Database, seconds: float, ticket_id: int | None = None) -> None:
    """Let a lease run out in so many seconds: that of the only ticket, if none is named."""
    chosen = select(TicketRow) if ticket_id is None else select(TicketRow).where(TicketRow.id == ticket_id)
    with database.writing() as session:
        session.exec(chosen).one().due_at = now() + timedelta(seconds=seconds)


def is_renewed(database: Database, ticket_id: int) -> bool:
    """Whether the lease of a ticket runs out in half a day or later."""
    with database.reading() as session:
        ticket = session.get(TicketRow, ticket_id)
        return ticket is not None and ticket.due_at > now() + timedelta(seconds=DAY / 2)


def lose_code(job: Job) -> None:
    """Lose every run but that of the empty program."""
    if job.source:
        raise SandboxFault("the zygote died")


class HeldRun:
    """A run that goes on until it is let go."""

    def __init__(self, fake_sandbox: FakeSandbox) -> None:
        self.begun, self.let_go = threading.Semaphore(0), threading.Event()
        fake_sandbox.before = self

    def __call__(self, job: Job) -> None:
        """Wait."""
        if job.source:
            self.begun.release()
            self.let_go.wait(HOLD_SECONDS)


def test_a_run_renews_its_lease_to_a_whole_one(
    server: RunningServer, turns: LeaseKeeper, fake_sandbox: FakeSandbox, student: Student
) -> None:
    student.submit_code(SOLUTION, wait=0)
    database, held = server.services.database, HeldRun(fake_sandbox)
    lease = take(database)
    with ThreadPoolExecutor() as pool:
        turn = pool.submit(turns.grade, lease)
        assert held.begun.acquire(timeout=PATIENCE_SECONDS)

        set_due(database, 60)

        assert eventually(lambda: the_ticket(database).due_at > now() + timedelta(seconds=DAY / 2))
        held.let_go.set()
        assert turn.result(PATIENCE_SECONDS) is None


def test_a_lease_is_renewed_after_a_renewal_that_failed(
    server: RunningServer,
    turns: LeaseKeeper,
    fake_sandbox: FakeSandbox,
    student: Student,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    student.submit_code(SOLUTION, wait=0)
    database, held = server.services.database, HeldRun(fake_sandbox)
    lease = take(database)
    failed, renew = threading.Event(), tickets.renew

    def fail_once(*arguments: object) -> None:
        monkeypatch.setattr(tickets, "renew", renew)
        failed.set()
        raise OSError("the database is away")

    monkeypatch.setattr(tickets, "renew", fail_once)
    with ThreadPoolExecutor() as pool:
        turn = pool.submit(turns.grade, lease)
        assert held.begun.acquire(timeout=PATIENCE_SECONDS)
        assert failed.wait(PATIENCE_SECONDS)

        set_due(database, 60)

        assert eventually(lambda: the_ticket(database).due_at > now() + timedelta(seconds=DAY / 2))
        held.let_go.set()
        assert turn.result(PATIENCE_SECONDS) is None


def test_a_ticket_in_two_turns_is_graded_once_and_rung_twice(
    server: RunningServer, turns: LeaseKeeper, fake_sandbox: FakeSandbox, student: Student, rung: list[int]
) -> None:
    id = student.submit_code(SOLUTION, wait=0).json()["id"]
    database, held = server.services.database, HeldRun(fake_sandbox)
    with ThreadPoolExecutor() as pool:
        first = pool.submit(turns.grade, take(database))
        assert held.begun.acquire(timeout=PATIENCE_SECONDS)
        with database.writing() as session:
            lease = tickets.claim(session, id, DAY)
        assert lease is not None
        second = pool.submit(turns.grade, lease)
        assert held.begun.acquire(timeout=PATIENCE_SECONDS)

        held.let_go.set()

        assert (first.result(PATIENCE_SECONDS), second.result(PATIENCE_SECONDS)) == (None, None)
    assert rung == [id, id]
    with database.reading() as session:
        assert len(session.exec(select(GradeRow)).all()) == 1
        assert session.exec(select(TicketRow)).all() == []


@pytest.mark.parametrize("timing", [replace(IMPATIENT, retry_seconds=DAY)])
def test_a_lost_run_is_due_later_with_each_try(
    server: RunningServer, turns: LeaseKeeper, fake_sandbox: FakeSandbox, student: Student, rung: list[int]
) -> None:
    id = student.submit_code(SOLUTION, wait=0).json()["id"]
    database = server.services.database
    fake_sandbox.before = lose_code
    days = []
    for _ in range(queries.TRIES_MAX):
        lease = take(database)
        tried_again = turns.grade(lease) is not None
        ticket = the_ticket(database)
        days.append(round((ticket.due_at - now()) / timedelta(days=1)))
        assert tried_again is (ticket.state is TicketState.QUEUED)
        set_due(database, 0)

    assert days[:2] == [1, 2]
    assert (ticket.state, ticket.reason, ticket.tries) == (TicketState.QUARANTINED, "the zygote died", 3)
    assert rung == [id] * 3


def test_a_ticket_that_another_worker_graded_is_not_given_back(
    server: RunningServer, turns: LeaseKeeper, fake_sandbox: FakeSandbox, student: Student
) -> None:
    student.submit_code(SOLUTION, wait=0)
    database = server.services.database
    lease = take(database)
    with database.writing() as session:
        session.delete(session.exec(select(TicketRow)).one())

    with database.writing() as session:
        assert not tickets.give_back(session, lease, "the zygote died", 0, blameless=False)


def test_a_run_lost_without_a_sandbox_is_no_try(
    server: RunningServer, turns: LeaseKeeper, fake_sandbox: FakeSandbox, student: Student
) -> None:
    student.submit_code(SOLUTION, wait=0)
    database = server.services.database

    def lose(job: Job) -> None:
        raise SandboxFault("the zygote died")  # the empty program that tries the sandbox, too

    fake_sandbox.before = lose
    tried_again = turns.grade(take(database)) is not None

    assert tried_again
    assert the_ticket(database).tries == 0


def test_the_lease_of_an_ended_run_is_renewed_no_more(
    server: RunningServer, turns: LeaseKeeper, fake_sandbox: FakeSandbox, student: Student
) -> None:
    database = server.services.database
    student.submit_code(SOLUTION, wait=0)
    fake_sandbox.before = lose_code
    assert turns.grade(take(database)) is not None
    lost = take(database).ticket_id  # by another worker, which is not this keeper's affair

    server.join("Grace").submit_code(SOLUTION, wait=0)
    held, other = HeldRun(fake_sandbox), take(database)
    with ThreadPoolExecutor() as pool:
        turn = pool.submit(turns.grade, other)
        assert held.begun.acquire(timeout=PATIENCE_SECONDS)

        for ticket_id in (lost, other.ticket_id):
            set_due(database, 60, ticket_id)

        assert eventually(lambda: is_renewed(database, other.ticket_id))
        assert not is_renewed(database, lost)
        held.let_go.set()
        assert turn.result(PATIENCE_SECONDS) is None


def test_no_renewer_outlives_stop(server: RunningServer, timing: Timing) -> None:
    others, services = set(threading.enumerate()), server.services
    keeper = LeaseKeeper(
        services.database, services.grading, services.code_runner, lambda _: None, timing, services.metrics
    )
    keeper.start()
    [renewer] = [thread for thread in threading.enumerate() if thread.name == "renewer" and thread not in others]

    keeper.stop()

    renewer.join(PATIENCE_SECONDS)
    assert not renewer.is_alive()
    assert renewer.daemon
