"""Tickets: ranks, places, estimates and leases as they stand in the database."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlmodel import col, select

from exercises.catalog import find
from exercises.instance import Kind
from server.db import Database
from server.dispatch import tickets
from server.dispatch.tickets import BACKGROUND, SAMPLE
from server.models import Grade, Submission, Ticket, TicketState, now
from tests.server.house import FULL, SOLUTION, House, Student, eventually, waits_for_a_lock

pytestmark = pytest.mark.parametrize("engine", ["embedded-sqlite", "embedded-postgresql"])
PENALTY = 10
LEASE_SECONDS = 60.0


@pytest.fixture
def database(house: House) -> Database:
    """The database of a house whose workers have gone home."""
    house.services.dispatcher.stop()
    return house.services.database


def hand_in(student: Student) -> int:
    """Hand in code without waiting; its id."""
    return int(student.submit_code(SOLUTION, wait=0).json()["id"])


def ranks(database: Database) -> dict[int, int]:
    """Submission → rank."""
    with database.reading() as session:
        return {each.submission_id: each.rank for each in session.exec(select(Ticket))}


def set_state(database: Database, submission_id: int, state: TicketState) -> None:
    """Put a ticket into a state."""
    with database.writing() as session:
        session.exec(select(Ticket).where(Ticket.submission_id == submission_id)).one().state = state


def regrade(database: Database, ids: list[int]) -> None:
    """Have submissions graded in the background."""
    with database.writing() as session:
        for ticket in session.exec(select(Ticket).where(col(Ticket.submission_id).in_(ids))):
            session.delete(ticket)
        session.flush()
        submissions = [session.get_one(Submission, id) for id in ids]
        tickets.write(session, submissions, PENALTY, background=True)


def test_each_of_a_student_ranks_a_penalty_after_the_last(database: Database, ada: Student) -> None:
    first, second, third = (hand_in(ada) for _ in range(3))

    found = ranks(database)

    assert [found[second] - found[first], found[third] - found[second]] == [PENALTY, PENALTY]


def test_the_background_goes_round_among_students(database: Database, house: House, ada: Student) -> None:
    ben = house.join("Ben")
    ids = [hand_in(ada), hand_in(ada), hand_in(ben)]

    regrade(database, ids)

    found = ranks(database)
    assert found[ids[0]] == found[ids[2]] == BACKGROUND < found[ids[1]]


def test_what_is_regraded_delays_no_new_submission(database: Database, ada: Student) -> None:
    old = hand_in(ada)
    regrade(database, [old])

    new = hand_in(ada)

    assert ranks(database)[new] < BACKGROUND


def test_the_estimate_is_of_the_newest_grades_and_the_running(database: Database, house: House, ada: Student) -> None:
    students = [ada, *(house.join(name) for name in ("Ben", "Cy", "Dan", "Eve"))]
    ids = [hand_in(student) for student in students]
    instance = house.services.instances.get(ada.id, find(FULL), Kind.HIDDEN)
    with database.writing() as session:
        for number in range(2 * SAMPLE):
            Grade(
                submission_id=ids[0],
                instance_id=instance.id,
                revision=1,
                environment=str(number),
                passed=0,
                exact=0,
                total=0,
                seconds=100 if number < SAMPLE else 4,
            ).insert(session)
    for id in ids[:2]:
        set_state(database, id, TicketState.RUNNING)

    with database.reading() as session:
        found = tickets.standing(session, ids)

    assert [(found[id].place, found[id].estimate) for id in ids] == [(None, None)] * 2 + [(1, 2), (2, 4), (3, 6)]


def test_a_student_with_a_run_has_no_second_one_taken(database: Database, house: House, ada: Student) -> None:
    first, _ = hand_in(ada), hand_in(ada)
    other = hand_in(house.join("Ben"))

    taken = []
    for _ in range(3):
        with database.writing() as session:
            lease = tickets.take(session, LEASE_SECONDS)
            taken.append(lease and lease.submission_id)

    assert taken == [first, other, None]


def test_two_workers_do_not_take_two_of_one_student(database: Database, ada: Student) -> None:
    hand_in(ada), hand_in(ada)

    def take() -> object:
        with database.writing() as session:
            return tickets.take(session, LEASE_SECONDS)

    with ThreadPoolExecutor() as pool:
        with database.writing() as session:
            assert tickets.take(session, LEASE_SECONDS) is not None
            second = pool.submit(take)
            if database.engine.dialect.name == "postgresql":  # SQLite has one writer
                assert eventually(lambda: waits_for_a_lock(database))
        assert second.result(20) is None


def test_only_what_runs_is_renewed(database: Database, ada: Student) -> None:
    id = hand_in(ada)
    with database.writing() as session:
        ticket = session.exec(select(Ticket).where(Ticket.submission_id == id)).one()
        tickets.renew(session, [ticket.id], LEASE_SECONDS)

    with database.reading() as session:
        assert session.get_one(Ticket, ticket.id).due_at <= now()


def test_what_is_released_is_due_at_once_with_all_its_tries(database: Database, ada: Student) -> None:
    id = hand_in(ada)
    with database.writing() as session:
        ticket = session.exec(select(Ticket)).one()
        ticket.state, ticket.tries, ticket.reason = TicketState.QUARANTINED, 3, "lost"
        ticket.due_at = now() + timedelta(days=1)

    with database.writing() as session:
        assert tickets.release(session, id)

    with database.reading() as session:
        ticket = session.exec(select(Ticket)).one()
    assert (ticket.state, ticket.tries, ticket.reason) == (TicketState.QUEUED, 0, None)
    assert ticket.due_at <= now()


def test_what_was_set_aside_or_cancelled_is_not_claimed(database: Database, ada: Student) -> None:
    id = hand_in(ada)
    for state in (TicketState.QUARANTINED, TicketState.CANCELLED):
        set_state(database, id, state)

        with database.writing() as session:
            assert tickets.claim(session, id, LEASE_SECONDS) is None
            assert tickets.take(session, LEASE_SECONDS) is None
