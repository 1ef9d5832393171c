"""Tickets: ranks, places, estimates and leases as they stand in the database."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlmodel import col, select

from exercises.instance import Kind
from exercises.registry import find
from server.database.engine import Database
from server.database.table import now
from server.queue import tickets
from server.queue.queries import BACKGROUND_RANK, SAMPLED_GRADES, TRIES_MAX
from server.tables import GradeRow, SubmissionRow, TicketRow, TicketState
from tests.support.servers import (
    FULL,
    PATIENCE_SECONDS,
    SOLUTION,
    RunningServer,
    Student,
    eventually,
    open_regrade,
    waits_for_a_lock,
)

pytestmark = pytest.mark.parametrize("engine", ["embedded-sqlite", "embedded-postgresql"])
PENALTY = 10
LEASE_SECONDS = 60.0


@pytest.fixture
def database(server: RunningServer) -> Database:
    """The database of a server whose workers have gone home."""
    server.services.dispatcher.stop()
    return server.services.database


def hand_in(student: Student) -> int:
    """Hand in code without waiting; its id."""
    return int(student.submit_code(SOLUTION, wait=0).json()["id"])


def ranks(database: Database) -> dict[int, int]:
    """Submission → rank."""
    with database.reading() as session:
        return {each.submission_id: each.rank for each in session.exec(select(TicketRow))}


def set_state(database: Database, submission_id: int, state: TicketState) -> None:
    """Put a ticket into a state."""
    with database.writing() as session:
        session.exec(select(TicketRow).where(TicketRow.submission_id == submission_id)).one().state = state


def regrade(database: Database, ids: list[int]) -> None:
    """Have submissions graded in the background."""
    with database.writing() as session:
        for ticket in session.exec(select(TicketRow).where(col(TicketRow.submission_id).in_(ids))):
            session.delete(ticket)
        session.flush()
        submissions = [session.get_one(SubmissionRow, id) for id in ids]
        tickets.write(session, submissions, PENALTY, regrade_id=open_regrade(session))


def test_each_of_a_student_ranks_a_penalty_after_the_last(database: Database, student: Student) -> None:
    first, second, third = (hand_in(student) for _ in range(3))

    found = ranks(database)

    assert [found[second] - found[first], found[third] - found[second]] == [PENALTY, PENALTY]


def test_what_was_put_back_comes_later_and_delays_the_next_by_one_penalty(database: Database, student: Student) -> None:
    long = hand_in(student)
    arrived = ranks(database)[long]
    with database.writing() as session:
        lease = tickets.take(session, 60)
        assert lease is not None
        tickets.put_back(session, lease, 600)

    mended = hand_in(student)

    found = ranks(database)
    assert 600 <= found[long] - arrived < 660
    assert PENALTY <= found[mended] - arrived < PENALTY + 60


def test_what_is_put_back_in_the_background_keeps_its_rank(database: Database, student: Student) -> None:
    old = hand_in(student)
    regrade(database, [old])
    with database.writing() as session:
        lease = tickets.take(session, 60)
        assert lease is not None
        assert tickets.put_back(session, lease, 600) == BACKGROUND_RANK

    assert ranks(database)[old] == BACKGROUND_RANK


def test_the_background_goes_round_among_students(database: Database, server: RunningServer, student: Student) -> None:
    ben = server.join("Ben")
    ids = [hand_in(student), hand_in(student), hand_in(student), hand_in(ben)]

    regrade(database, ids)

    found = ranks(database)
    assert found[ids[0]] == found[ids[3]] == BACKGROUND_RANK < found[ids[1]] < found[ids[2]]


def test_what_is_regraded_delays_no_new_submission(database: Database, student: Student) -> None:
    old = hand_in(student)
    regrade(database, [old])

    new = hand_in(student)

    assert ranks(database)[new] < BACKGROUND_RANK


def test_the_estimate_is_of_the_newest_grades_and_the_running(
    database: Database, server: RunningServer, student: Student
) -> None:
    students = [student, *(server.join(name) for name in ("Ben", "Cy", "Dan", "Eve"))]
    ids = [hand_in(student) for student in students]
    instance = server.services.instances.get(student.id, find(FULL), Kind.STUDENT)
    with database.writing() as session:
        for number in range(2 * SAMPLED_GRADES):
            GradeRow(
                submission_id=ids[0],
                instance_id=instance.id,
                revision=1,
                environment=str(number),
                passed=0,
                exact=0,
                total=0,
                seconds=100 if number < SAMPLED_GRADES else 4,
            ).insert(session)
    for id in ids[:2]:
        set_state(database, id, TicketState.RUNNING)

    with database.reading() as session:
        found = tickets.standing(session, ids)

    assert [(found[id].place, found[id].estimate) for id in ids] == [(None, None)] * 2 + [(1, 2), (2, 4), (3, 6)]


def test_an_estimate_without_grades_or_runs_is_a_second_at_least(database: Database, server: RunningServer) -> None:
    ids = [hand_in(server.join(f"Student {number}")) for number in range(12)]

    with database.reading() as session:
        found = tickets.standing(session, ids)

    # A tenth of a second each, one after the other.
    assert [found[id].estimate for id in ids] == [1] * 10 + [2] * 2


def test_the_depth_is_of_what_waits_or_runs(database: Database, server: RunningServer, student: Student) -> None:
    ids = [hand_in(each) for each in (student, *(server.join(name) for name in ("Ben", "Cy", "Dan")))]
    for id, state in zip(ids, TicketState, strict=True):
        set_state(database, id, state)

    with database.reading() as session:
        assert tickets.depth(session) == 2
        assert tickets.counts(session) == dict.fromkeys(TicketState, 1)


def test_the_oldest_is_of_students_who_wait(database: Database, server: RunningServer, student: Student) -> None:
    first, second, third = (hand_in(each) for each in (student, server.join("Ben"), server.join("Cy")))
    regrade(database, [first])
    set_state(database, second, TicketState.RUNNING)

    with database.reading() as session:
        assert tickets.oldest(session) == session.get_one(SubmissionRow, third).created_at
    set_state(database, third, TicketState.CANCELLED)
    with database.reading() as session:
        assert tickets.oldest(session) is None


def test_a_student_with_a_run_has_no_second_one_taken(
    database: Database, server: RunningServer, student: Student
) -> None:
    first, _ = hand_in(student), hand_in(student)
    other = hand_in(server.join("Ben"))

    taken = []
    for _ in range(3):
        with database.writing() as session:
            lease = tickets.take(session, LEASE_SECONDS)
            taken.append(lease and lease.submission_id)

    assert taken == [first, other, None]


def test_two_workers_do_not_take_two_of_one_student(database: Database, student: Student) -> None:
    hand_in(student), hand_in(student)

    def take() -> object:
        with database.writing() as session:
            return tickets.take(session, LEASE_SECONDS)

    with ThreadPoolExecutor() as pool:
        with database.writing() as session:
            assert tickets.take(session, LEASE_SECONDS) is not None
            second = pool.submit(take)
            if database.engine.dialect.name == "postgresql":  # SQLite has one writer
                assert eventually(lambda: waits_for_a_lock(database))
        assert second.result(PATIENCE_SECONDS) is None


def test_only_what_runs_is_renewed(database: Database, student: Student) -> None:
    id = hand_in(student)
    with database.writing() as session:
        ticket = session.exec(select(TicketRow).where(TicketRow.submission_id == id)).one()
        tickets.renew(session, [ticket.id], LEASE_SECONDS)

    with database.reading() as session:
        assert session.get_one(TicketRow, ticket.id).due_at <= now()


def test_what_is_released_is_due_at_once_with_all_its_tries(database: Database, student: Student) -> None:
    id = hand_in(student)
    with database.writing() as session:
        ticket = session.exec(select(TicketRow)).one()
        ticket.state, ticket.tries, ticket.reason = TicketState.QUARANTINED, 3, "lost"
        ticket.due_at = now() + timedelta(days=1)

    with database.writing() as session:
        assert tickets.release(session, id)

    with database.reading() as session:
        ticket = session.exec(select(TicketRow)).one()
    assert (ticket.state, ticket.tries, ticket.reason) == (TicketState.QUEUED, 0, None)
    assert ticket.due_at <= now()


def test_a_ticket_without_tries_left_is_set_aside_when_it_is_claimed(
    database: Database, student: Student, caplog: pytest.LogCaptureFixture
) -> None:
    id = hand_in(student)
    with database.writing() as session:
        session.exec(select(TicketRow)).one().tries = TRIES_MAX

    with database.writing() as session:
        assert tickets.claim(session, id, LEASE_SECONDS) is None

    with database.reading() as session:
        assert session.exec(select(TicketRow)).one().state is TicketState.QUARANTINED
    assert f"Submission {id} is set aside" in caplog.text


def test_the_log_says_what_was_set_aside_and_why(
    database: Database, student: Student, caplog: pytest.LogCaptureFixture
) -> None:
    id = hand_in(student)
    with database.writing() as session:
        session.exec(select(TicketRow)).one().tries = TRIES_MAX - 1
    with database.writing() as session:
        lease = tickets.claim(session, id, LEASE_SECONDS)
        assert lease is not None

    with database.writing() as session:
        assert not tickets.give_back(session, lease, "the zygote fell over", 0, blameless=False)

    assert f"Submission {id} is set aside after {TRIES_MAX} tries: the zygote fell over" in caplog.text


def test_what_was_set_aside_or_cancelled_is_not_claimed(database: Database, student: Student) -> None:
    id = hand_in(student)
    for state in (TicketState.QUARANTINED, TicketState.CANCELLED):
        set_state(database, id, state)

        with database.writing() as session:
            assert tickets.claim(session, id, LEASE_SECONDS) is None
            assert tickets.take(session, LEASE_SECONDS) is None
