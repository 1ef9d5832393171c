"""Jobs of procrastinate: one for each live ticket, none too many, and taken again from the dead."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlmodel import Session, col, select

from grader.sandbox import Job
from server.dispatch import jobs
from server.models import Ticket, TicketState
from server.settings import Settings
from server.timing import Timing
from tests.server.dispatch.conftest import crew
from tests.server.dispatch.test_contract import all_tickets, hand_in, listens, status
from tests.server.house import IMPATIENT, House, Straw, Student, eventually

pytestmark = pytest.mark.parametrize("engine", ["procrastinate-postgresql"])
QUICK_SWEEPS = replace(IMPATIENT, sweep_seconds=0.05)


def count(session: Session, statement: str = "SELECT count(*) FROM procrastinate_jobs") -> int:
    """How many jobs there are."""
    return int(session.connection().exec_driver_sql(statement).scalar_one())


def forget_jobs(house: House) -> None:
    """Leave tickets without their jobs, as another engine does."""
    with house.services.database.writing() as session:
        session.connection().exec_driver_sql("DELETE FROM procrastinate_jobs")


def test_only_live_tickets_without_a_job_get_one(house: House, ada: Student) -> None:
    for number in range(4):
        hand_in(ada, f"a{number}")
    forget_jobs(house)
    states = [TicketState.QUEUED, TicketState.RUNNING, TicketState.QUARANTINED, TicketState.CANCELLED]
    counts = []

    with house.services.database.writing() as session:
        for ticket, state in zip(session.exec(select(Ticket).order_by(col(Ticket.id))), states, strict=True):
            ticket.state = state
        session.flush()
        for _ in range(2):
            jobs.adopt(session)
            counts.append(count(session))

    assert counts == [2, 2]


def test_a_server_makes_the_jobs_that_another_engine_left(house: House, ada: Student) -> None:
    hand_in(ada, "a1")
    forget_jobs(house)

    house.services.dispatcher.stop()
    again = jobs.JobDispatcher(
        house.services.database, house.services.settings.url, house.services.bell, house.services.timing
    )
    again.start()
    again.stop()

    with house.services.database.reading() as session:
        assert count(session) == 1


@pytest.mark.parametrize("timing", [QUICK_SWEEPS])
def test_workers_find_what_was_released_without_a_job(
    house: House, settings: Settings, straw: Straw, timing: Timing, ada: Student
) -> None:
    id = hand_in(ada, "a1")
    forget_jobs(house)

    with crew(settings, straw, timing):
        assert eventually(lambda: status(ada, id) == "graded")


@pytest.mark.parametrize("timing", [QUICK_SWEEPS])
def test_a_job_of_a_dead_worker_is_taken_again(
    house: House, settings: Settings, straw: Straw, timing: Timing, ada: Student
) -> None:
    id = hand_in(ada, "a1")
    with house.services.database.writing() as session:
        asked = session.connection().exec_driver_sql
        asked("INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - interval '1 hour')")
        asked("UPDATE procrastinate_jobs SET status = 'doing', worker_id = (SELECT max(id) FROM procrastinate_workers)")

    with crew(settings, straw, timing):
        assert eventually(lambda: status(ada, id) == "graded")


def test_no_job_stays_after_its_grade(house: House, settings: Settings, straw: Straw, ada: Student) -> None:
    with crew(settings, straw):
        ids = [hand_in(ada, f"a{number}") for number in range(2)]
        assert eventually(lambda: all(status(ada, id) == "graded" for id in ids))

    with house.services.database.reading() as session:
        assert count(session) == 0


def test_a_worker_without_a_heartbeat_is_not_alive(house: House) -> None:
    dispatcher = house.services.dispatcher
    healths = []

    for seconds in (3600, 0):
        with house.services.database.writing() as session:
            beat = f"INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - interval '{seconds} seconds')"
            session.connection().exec_driver_sql(beat)
        healths.append(dispatcher.health()["workers"])

    assert "none is alive" in healths[0]
    assert healths[1] == "ok"


def test_a_listener_whose_connection_broke_listens_again(house: House) -> None:
    assert eventually(lambda: listens(house))
    with house.services.database.writing() as session:
        ended = session.connection().exec_driver_sql(
            "SELECT count(pg_terminate_backend(pid, 10000)) FROM pg_stat_activity"
            " WHERE datname = current_database() AND query LIKE 'LISTEN %%'"
        )
        assert ended.scalar_one() == 1

    assert eventually(lambda: listens(house))


def test_a_lost_run_waits_as_long_as_it_was_told(house: House, settings: Settings, straw: Straw, ada: Student) -> None:
    losses = iter([True])

    def lose(job: Job) -> None:
        if job.source and next(losses, False):
            raise OSError("the zygote died")

    straw.before = lose
    with crew(settings, straw, replace(IMPATIENT, retry_seconds=86_400)):
        hand_in(ada, "a1")
        assert eventually(lambda: [each.state for each in all_tickets(house.services.database)] == [TicketState.QUEUED])

        def planned() -> int:
            with house.services.database.reading() as session:
                return count(
                    session,
                    "SELECT count(*) FROM procrastinate_jobs"
                    " WHERE status = 'todo' AND scheduled_at > now() + interval '12 hours'",
                )

        assert eventually(lambda: planned() == 1)
