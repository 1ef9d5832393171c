"""Jobs of procrastinate: one for each live ticket, none too many, and taken again from the dead."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlmodel import Session, col, select

from grader.sandbox import Job
from server.queue import procrastinate as jobs
from server.queue.timing import Timing
from server.settings import Settings
from server.tables import TicketRow, TicketState
from tests.server.queue.engines.conftest import workers
from tests.server.queue.engines.test_contract import all_tickets, hand_in, listens, status
from tests.support.servers import IMPATIENT, FakeSandbox, RunningServer, Student, eventually

pytestmark = pytest.mark.parametrize("engine", ["procrastinate-postgresql"])
QUICK_SWEEPS = replace(IMPATIENT, sweep_seconds=0.05)


def count(session: Session, statement: str = "SELECT count(*) FROM procrastinate_jobs") -> int:
    """How many jobs there are."""
    return int(session.connection().exec_driver_sql(statement).scalar_one())


def forget_jobs(server: RunningServer) -> None:
    """Leave tickets without their jobs, as another engine does."""
    with server.services.database.writing() as session:
        session.connection().exec_driver_sql("DELETE FROM procrastinate_jobs")


def test_only_live_tickets_without_a_job_get_one(server: RunningServer, student: Student) -> None:
    for number in range(4):
        hand_in(student, f"a{number}")
    forget_jobs(server)
    states = [TicketState.QUEUED, TicketState.RUNNING, TicketState.QUARANTINED, TicketState.CANCELLED]
    counts = []

    with server.services.database.writing() as session:
        for ticket, state in zip(session.exec(select(TicketRow).order_by(col(TicketRow.id))), states, strict=True):
            ticket.state = state
        session.flush()
        for _ in range(2):
            jobs.defer_tickets_without_job(session)
            counts.append(count(session))

    assert counts == [2, 2]


def test_a_server_makes_the_jobs_that_another_engine_left(server: RunningServer, student: Student) -> None:
    hand_in(student, "a1")
    forget_jobs(server)

    server.services.dispatcher.stop()
    again = jobs.ProcrastinateDispatcher(
        server.services.database, server.services.settings.url, server.services.signals, server.services.timing
    )
    again.start()
    again.stop()

    with server.services.database.reading() as session:
        assert count(session) == 1


@pytest.mark.parametrize("timing", [QUICK_SWEEPS])
def test_workers_find_what_was_released_without_a_job(
    server: RunningServer, settings: Settings, fake_sandbox: FakeSandbox, timing: Timing, student: Student
) -> None:
    id = hand_in(student, "a1")
    forget_jobs(server)

    with workers(settings, fake_sandbox, timing):
        assert eventually(lambda: status(student, id) == "graded")


@pytest.mark.parametrize("timing", [QUICK_SWEEPS])
def test_a_job_of_a_dead_worker_is_taken_again(
    server: RunningServer, settings: Settings, fake_sandbox: FakeSandbox, timing: Timing, student: Student
) -> None:
    id = hand_in(student, "a1")
    with server.services.database.writing() as session:
        asked = session.connection().exec_driver_sql
        asked("INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - interval '1 hour')")
        asked("UPDATE procrastinate_jobs SET status = 'doing', worker_id = (SELECT max(id) FROM procrastinate_workers)")

    with workers(settings, fake_sandbox, timing):
        assert eventually(lambda: status(student, id) == "graded")


def test_no_job_stays_after_its_grade(
    server: RunningServer, settings: Settings, fake_sandbox: FakeSandbox, student: Student
) -> None:
    with workers(settings, fake_sandbox):
        ids = [hand_in(student, f"a{number}") for number in range(2)]
        assert eventually(lambda: all(status(student, id) == "graded" for id in ids))

    with server.services.database.reading() as session:
        assert count(session) == 0


def test_a_worker_without_a_heartbeat_is_not_alive(server: RunningServer) -> None:
    dispatcher = server.services.dispatcher
    healths = []

    for seconds in (3600, -60):
        with server.services.database.writing() as session:
            beat = f"INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - interval '{seconds} seconds')"
            session.connection().exec_driver_sql(beat)
        healths.append(dispatcher.health()["workers"])

    assert "none is alive" in healths[0]
    assert healths[1] == "ok"


def test_a_listener_whose_connection_broke_listens_again(server: RunningServer) -> None:
    assert eventually(lambda: listens(server))
    with server.services.database.writing() as session:
        ended = session.connection().exec_driver_sql(
            "SELECT count(pg_terminate_backend(pid, 10000)) FROM pg_stat_activity"
            " WHERE datname = current_database() AND query LIKE 'LISTEN %%'"
        )
        assert ended.scalar_one() == 1

    assert eventually(lambda: listens(server))


def test_a_lost_run_waits_as_long_as_it_was_told(
    server: RunningServer, settings: Settings, fake_sandbox: FakeSandbox, student: Student
) -> None:
    losses = iter([True])

    def lose(job: Job) -> None:
        if job.source and next(losses, False):
            raise OSError("the zygote died")

    fake_sandbox.before = lose
    with workers(settings, fake_sandbox, replace(IMPATIENT, retry_seconds=86_400)):
        hand_in(student, "a1")
        assert eventually(
            lambda: [each.state for each in all_tickets(server.services.database)] == [TicketState.QUEUED]
        )

        def planned() -> int:
            with server.services.database.reading() as session:
                return count(
                    session,
                    "SELECT count(*) FROM procrastinate_jobs"
                    " WHERE status = 'todo' AND scheduled_at > now() + interval '12 hours'",
                )

        assert eventually(lambda: planned() == 1)
