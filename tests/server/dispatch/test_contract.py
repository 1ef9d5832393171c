"""What every engine keeps: nothing lost, everybody's turn, faults that are nobody's grade, and a way out of the
queue."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlmodel import col, select
from starlette.testclient import TestClient

from exercises.instance import Kind
from exercises.registry import find
from grader.sandbox import Job, SandboxFault
from server.app import create_app
from server.db import Database
from server.dispatch import tickets
from server.models import ComparisonRow, Grade, Progress, Submission, Ticket, TicketState, now
from server.settings import Settings
from tests.server.dispatch.conftest import crew
from tests.server.house import FULL, SOLUTION, House, Straw, Student, eventually


class Gate:
    """Holds runs back until it is opened, and notes whose they are and how many there are at once."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.order: list[str] = []
        self.inside: list[str] = []
        self.together: set[frozenset[str]] = set()
        self._lock = threading.Lock()

    def __call__(self, job: Job) -> None:
        """Note the first line of the source, and wait."""
        if not job.source:
            return
        name = job.source.partition("\n")[0]
        with self._lock:
            self.order.append(name)
            self.inside.append(name)
            self.together.add(frozenset(self.inside))
        self.open.wait(20)
        with self._lock:
            self.inside.remove(name)


@pytest.fixture
def gate(straw: Straw) -> Iterator[Gate]:
    """A closed gate in front of the sandbox."""
    found = Gate()
    straw.before = found
    yield found
    found.open.set()


@pytest.fixture
def working(house: House, settings: Settings, straw: Straw) -> Iterator[House]:
    """The house, with whoever takes the tickets."""
    with crew(settings, straw):
        yield house


def source(name: str) -> str:
    """A right answer that says whose it is."""
    return f"# {name}\n{SOLUTION}"


def hand_in(student: Student, name: str) -> int:
    """Hand in code without waiting; its id."""
    answer = student.submit_code(source(name), wait=0)
    assert answer.status_code == 202, answer.text
    return int(answer.json()["id"])


def status(student: Student, id: int) -> str:
    """Where a submission stands."""
    return str(student.get(f"/api/v1/submissions/{id}").json()["status"])


def all_tickets(database: Database) -> list[Ticket]:
    """What remains to be done."""
    with database.reading() as session:
        return list(session.exec(select(Ticket).order_by(col(Ticket.id))))


def _lost(job: Job) -> None:
    raise SandboxFault("the zygote died")


def test_code_is_graded_and_who_waits_is_told_at_once(working: House) -> None:
    answer = working.join().submit_code(SOLUTION)
    assert (answer.status_code, answer.json()["grade"]["exact"]) == (201, 26)
    assert all_tickets(working.services.database) == []


def test_a_submission_that_is_rolled_back_was_never_queued(working: House, straw: Straw) -> None:
    ada = working.join()
    ada.submit_code(SOLUTION)
    database = working.services.database
    with database.reading() as session:
        first = session.exec(select(Submission)).one()
    with contextlib.suppress(RuntimeError), database.writing() as session:
        twin = Submission(**first.model_dump(exclude={"id", "attempt"}), attempt=2)
        session.add(twin)
        session.flush()
        working.services.dispatcher.enqueue(session, [twin])
        raise RuntimeError
    assert ada.submit_code(SOLUTION).json()["attempt"] == 2
    assert sum(bool(job.source) for job in straw.jobs) == 2


def test_everybody_has_a_turn_before_anybody_has_a_second(working: House, gate: Gate) -> None:
    many, other, third = (working.join(name) for name in ("Ada", "Ben", "Cy"))
    for student in (many, other, third):  # drawn before, so that who is taken first also enters first
        working.services.instances.get(student.id, find(FULL), Kind.HIDDEN)
    first = hand_in(many, "a1")
    assert eventually(lambda: len(gate.order) == 1)
    ids = [hand_in(many, f"a{number}") for number in range(2, 8)]
    others = [hand_in(other, "b1"), hand_in(third, "c1")]
    assert eventually(lambda: len(gate.order) == 2)
    gate.open.set()
    for student, all_ids in ((many, [first, *ids]), (other, others[:1]), (third, others[1:])):
        for id in all_ids:
            assert eventually(lambda: status(student, id) == "graded")  # noqa: B023
    assert gate.order[1] == "# b1"
    assert "# c1" in gate.order[2:4]  # two lanes: the other one may enter first
    assert [name for name in gate.order if name.startswith("# a")] == [f"# a{number}" for number in range(1, 8)]


def test_who_has_one_running_is_not_overtaken_for_ever(
    working: House, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = working.join("Ada")
    hand_in(ada, "a1"), hand_in(working.join("Ben"), "b1")
    assert eventually(lambda: len(gate.order) == 2)
    second = hand_in(ada, "a2")
    soon = hand_in(working.join("Cy"), "c1")
    monkeypatch.setattr(tickets, "now", lambda: now() + timedelta(seconds=tickets.STEP + 1))
    late = hand_in(working.join("Dan"), "d1")
    with working.services.database.reading() as session:
        places = working.services.dispatcher.standing(session, [soon, second, late])
    assert [places[id].place for id in (soon, second, late)] == [1, 2, 3]


def test_a_student_is_run_one_at_a_time(working: House, gate: Gate) -> None:
    ada = working.join()
    ids = [hand_in(ada, f"a{number}") for number in range(4)]
    assert eventually(lambda: len(gate.order) == 1)
    gate.open.set()
    assert eventually(lambda: all(status(ada, id) == "graded" for id in ids))
    assert max(len(group) for group in gate.together) == 1


def test_the_background_waits_for_every_student_and_short_comes_before_long(working: House, gate: Gate) -> None:
    ada, ben, cy, dan, eve = (working.join(name) for name in ("Ada", "Ben", "Cy", "Dan", "Eve"))
    database = working.services.database
    gate.open.set()
    eve.submit_code(source("e0"))  # or she would be held up later, by the drawing of her instance
    slow = cy.submit_code(source("c0")).json()["id"]
    old = dan.submit_code(source("d0")).json()["id"]
    with database.writing() as session:
        session.exec(select(Grade).where(Grade.submission_id == slow)).one().seconds = 4.5
        again = session.get_one(Submission, old)
        gate.open.clear()
        gate.order.clear()
    blockers = [hand_in(ada, "a1"), hand_in(ben, "b1")]
    assert eventually(lambda: len(gate.order) == 2)
    with database.writing() as session:
        working.services.dispatcher.enqueue(session, [again], background=True)
    long, short = hand_in(cy, "c1"), hand_in(eve, "e1")
    with database.reading() as session:
        places = working.services.dispatcher.standing(session, [again.id, long, short])
    assert [places[id].place for id in (short, long, again.id)] == [1, 2, 3]
    assert (places[short].estimate or 0) >= 1
    gate.open.set()
    assert eventually(lambda: all_tickets(database) == [])
    assert set(gate.order[:2]) == {"# a1", "# b1"} and gate.order[4] == "# d0"
    assert len(blockers) == 2


def test_a_lost_run_is_tried_again_and_graded_once(working: House, straw: Straw) -> None:
    losses = iter([True, True])

    def lose_twice(job: Job) -> None:
        if job.source and next(losses, False):
            _lost(job)

    straw.before = lose_twice
    answer = working.join().submit_code(SOLUTION)
    assert answer.json()["grade"]["exact"] == 26
    with working.services.database.reading() as session:
        assert len(session.exec(select(Grade)).all()) == 1


def test_what_is_lost_every_time_is_set_aside_blocks_nobody_and_is_released_by_staff(
    working: House, straw: Straw
) -> None:
    ada = working.join()
    straw.before = lambda job: _lost(job) if "poison" in job.source else None
    id = hand_in(ada, "poison")
    assert ada.submit_code(SOLUTION).json()["grade"]["exact"] == 26
    assert eventually(lambda: status(ada, id) == "quarantined")
    assert sum("poison" in job.source for job in straw.jobs) == tickets.MOST_TRIES
    with working.services.database.reading() as session:
        assert working.services.dispatcher.depth(session) == 0
    straw.before = lambda job: None
    with working.services.database.writing() as session:
        assert working.services.dispatcher.requeue(session, id)
        assert not working.services.dispatcher.requeue(session, id)
    assert eventually(lambda: status(ada, id) == "graded")


def test_what_is_cancelled_is_not_run_unless_it_is_requeued(working: House, gate: Gate) -> None:
    ada = working.join()
    running, waiting = hand_in(ada, "a1"), hand_in(ada, "a2")
    assert eventually(lambda: gate.order == ["# a1"])
    dispatcher, database = working.services.dispatcher, working.services.database
    with database.writing() as session:
        assert not dispatcher.cancel(session, running)
        assert dispatcher.cancel(session, waiting)
    gate.open.set()
    assert eventually(lambda: status(ada, running) == "graded")
    assert ada.submit_code(source("a3")).status_code == 201
    assert status(ada, waiting) == "cancelled"
    assert "# a2" not in gate.order
    with database.writing() as session:
        assert dispatcher.requeue(session, waiting)
    assert eventually(lambda: status(ada, waiting) == "graded")


def test_a_worker_without_a_sandbox_takes_nothing_and_counts_nothing(working: House, straw: Straw) -> None:
    ada = working.join()
    straw.before = _lost
    id = ada.submit_code(SOLUTION, wait=0).json().get("id")
    assert eventually(lambda: sum(not job.source for job in straw.jobs) > 3)
    assert [(each.state, each.tries) for each in all_tickets(working.services.database)] == [(TicketState.QUEUED, 0)]
    straw.before = lambda job: None
    assert eventually(lambda: status(ada, id) == "graded")


def test_what_killed_its_workers_is_set_aside_without_another_run(
    house: House, settings: Settings, straw: Straw
) -> None:
    house.services.dispatcher.stop()
    ada = house.join()
    id = hand_in(ada, "poison")
    with house.services.database.writing() as session:
        ticket = session.exec(select(Ticket)).one()
        ticket.state, ticket.tries = TicketState.RUNNING, tickets.MOST_TRIES
    with TestClient(create_app(settings, straw.workshop())) as client, crew(settings, straw):
        ada.client = client
        assert eventually(lambda: status(ada, id) == "quarantined")
    assert not any("poison" in job.source for job in straw.jobs)


def test_what_another_process_left_is_taken_up(house: House, settings: Settings, straw: Straw) -> None:
    house.services.dispatcher.stop()
    ada = house.join()
    ids = [hand_in(ada, f"a{number}") for number in range(3)]
    with house.services.database.writing() as session:  # as a process leaves it that is killed in its first run
        session.exec(select(Ticket).where(Ticket.submission_id == ids[0])).one().state = TicketState.RUNNING
    with TestClient(create_app(settings, straw.workshop())) as client, crew(settings, straw):
        ada.client = client
        assert eventually(lambda: all(status(ada, id) == "graded" for id in ids))


def test_stopping_finishes_what_is_running(house: House, settings: Settings, gate: Gate, straw: Straw) -> None:
    ada = house.join()
    with crew(settings, straw):
        first, second = hand_in(ada, "a1"), hand_in(ada, "a2")
        assert eventually(lambda: len(gate.order) == 1)
        threading.Timer(2, gate.open.set).start()
        house.services.dispatcher.stop()
    with house.services.database.reading() as session:
        assert [each.submission_id for each in session.exec(select(Grade))] == [first]
        assert [each.submission_id for each in session.exec(select(Ticket))] == [second]


def test_graded_twice_counts_once(working: House) -> None:
    id = working.join().submit_code(SOLUTION).json()["id"]
    database = working.services.database
    with database.writing() as session:
        working.services.dispatcher.enqueue(session, [session.get_one(Submission, id)])
    assert eventually(lambda: all_tickets(database) == [])
    with database.reading() as session:
        assert len(session.exec(select(Grade)).all()) == 1
        assert len(session.exec(select(ComparisonRow)).all()) == 26
        assert {each.attempts for each in session.exec(select(Progress))} == {1}


def test_health_says_who_runs_the_code(house: House, settings: Settings, straw: Straw) -> None:
    checks = house.client.get("/readyz").json()["checks"]
    if settings.dispatch == "embedded":
        assert eventually(lambda: house.client.get("/readyz").json()["checks"]["sandbox"] == "ok")
        return
    assert "python -m server worker" in checks["workers"]
    assert "sandbox" not in checks
    with crew(settings, straw):
        assert eventually(lambda: house.client.get("/readyz").status_code == 200)
