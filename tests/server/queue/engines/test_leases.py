"""Turns: a lease that is graded, given back or kept, on both databases."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlmodel import Session, select

from grader.sandbox import Job, SandboxFault
from server.database.engine import Database
from server.database.outage import DatabaseUnavailable
from server.database.table import now
from server.queue import queries, tickets
from server.queue.leases import Again, Ended, LeaseKeeper
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
        services.database,
        services.grading,
        services.code_runner,
        lambda id, _: rung.append(id),
        timing,
        services.metrics,
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


def take_one(session: Session) -> Lease | None:
    """Lease the first ticket that is due."""
    return tickets.take(session, DAY)


def again(turns: LeaseKeeper, lease: Lease) -> Again | None:
    """Grade what was leased; when its run comes again, or None."""
    ended: Ended[None] = turns.grade(lease)
    return ended.again


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
        turn = pool.submit(again, turns, lease)
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
        turn = pool.submit(again, turns, lease)
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
        first = pool.submit(again, turns, take(database))
        assert held.begun.acquire(timeout=PATIENCE_SECONDS)
        with database.writing() as session:
            lease = tickets.claim(session, id, DAY)
        assert lease is not None
        second = pool.submit(again, turns, lease)
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
        tried_again = again(turns, lease) is not None
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
    tried_again = again(turns, take(database)) is not None

    assert tried_again
    assert the_ticket(database).tries == 0


def test_the_lease_of_an_ended_run_is_renewed_no_more(
    server: RunningServer, turns: LeaseKeeper, fake_sandbox: FakeSandbox, student: Student
) -> None:
    database = server.services.database
    student.submit_code(SOLUTION, wait=0)
    fake_sandbox.before = lose_code
    assert again(turns, take(database)) is not None
    lost = take(database).ticket_id  # by another worker, which is not this keeper's affair

    server.join("Grace").submit_code(SOLUTION, wait=0)
    held, other = HeldRun(fake_sandbox), take(database)
    with ThreadPoolExecutor() as pool:
        turn = pool.submit(again, turns, other)
        assert held.begun.acquire(timeout=PATIENCE_SECONDS)

        for ticket_id in (lost, other.ticket_id):
            set_due(database, 60, ticket_id)

        assert eventually(lambda: is_renewed(database, other.ticket_id))
        assert not is_renewed(database, lost)
        held.let_go.set()
        assert turn.result(PATIENCE_SECONDS) is None


def test_a_grade_comes_with_the_next_lease(
    server: RunningServer, turns: LeaseKeeper, student: Student, rung: list[int]
) -> None:
    ids = [student.submit_code(SOLUTION, wait=0).json()["id"] for _ in range(2)]
    database = server.services.database

    ended = turns.grade(take(database), take_one)

    assert rung == ids[:1]
    assert ended.again is None and ended.fresh is not None and ended.fresh.row.submission_id == ids[0]
    # Of the same student: the run that kept this ticket waiting ends in the same transaction.
    assert ended.next is not None and (ended.next.submission_id, ended.next.tries) == (ids[1], 1)
    assert the_ticket(database).state is TicketState.RUNNING


def test_a_run_without_a_grade_comes_with_no_lease(
    server: RunningServer, turns: LeaseKeeper, fake_sandbox: FakeSandbox, student: Student
) -> None:
    for each in (student, server.join("Ben")):
        each.submit_code(SOLUTION, wait=0)
    fake_sandbox.before = lose_code

    ended = turns.grade(take(server.services.database), take_one)

    assert ended.again is not None and ended.next is None and ended.fresh is None


@pytest.mark.parametrize("timing", [replace(IMPATIENT, lease_seconds=DAY, database_retry_seconds=0.02)])
def test_a_grade_that_is_not_stored_takes_nothing(server: RunningServer, turns: LeaseKeeper, student: Student) -> None:
    for each in (student, server.join("Ben")):
        each.submit_code(SOLUTION, wait=0)
    database, failures = server.services.database, iter([True, True])

    def take_and_fail(session: Session) -> Lease | None:
        lease = take_one(session)
        if next(failures, False):
            raise DatabaseUnavailable("it is away")
        return lease

    ended = turns.grade(take(database), take_and_fail)

    assert ended.next is not None and ended.next.tries == 1
    with database.reading() as session:
        assert len(session.exec(select(GradeRow)).all()) == 1


def test_a_lease_that_came_with_a_grade_ends_with_its_worker(
    server: RunningServer, turns: LeaseKeeper, student: Student
) -> None:
    ids = [each.submit_code(SOLUTION, wait=0).json()["id"] for each in (student, server.join("Ben"))]
    database = server.services.database
    lost = turns.grade(take(database), take_one).next  # its worker is killed after the commit
    assert lost is not None
    with database.writing() as session:
        assert take_one(session) is None

    set_due(database, 0, lost.ticket_id)
    lease = take(database)
    assert again(turns, lease) is None

    assert (lease.submission_id, lease.tries) == (ids[1], 2)
    with database.reading() as session:
        assert sorted(session.exec(select(GradeRow.submission_id))) == ids
        assert session.exec(select(TicketRow)).all() == []


def test_an_unused_lease_is_no_try(server: RunningServer, turns: LeaseKeeper, student: Student) -> None:
    student.submit_code(SOLUTION, wait=0)
    database = server.services.database

    turns.return_unused(take(database))

    ticket = the_ticket(database)
    assert (ticket.state, ticket.tries) == (TicketState.QUEUED, 0)


def test_no_renewer_outlives_stop(server: RunningServer, timing: Timing) -> None:
    others, services = set(threading.enumerate()), server.services
    keeper = LeaseKeeper(
        services.database, services.grading, services.code_runner, lambda *_: None, timing, services.metrics
    )
    keeper.start()
    [renewer] = [thread for thread in threading.enumerate() if thread.name == "renewer" and thread not in others]

    keeper.stop()

    renewer.join(PATIENCE_SECONDS)
    assert not renewer.is_alive()
    assert renewer.daemon
