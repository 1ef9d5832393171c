"""The pool of hidden instances: by lot, none twice while there is another, replaced by age."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from sqlmodel import col, select

from exercises.instance import Kind
from exercises.registry import find
from server.database.engine import Database
from server.database.table import now
from server.instances.exercises import record_revisions
from server.instances.pool import HiddenPool
from server.instances.store import InstanceStore
from server.tables import GradeRow, InstanceRow, SubmissionRow
from tests.support.servers import SOLUTION, RunningServer, Student, eventually

EXERCISE = find("makemore/cross-entropy")  # the smallest
DAY = timedelta(days=1)
SECRET = b"0123456789abcdef" * 4


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.moment = now()

    def __call__(self) -> datetime:
        return self.moment


@pytest.fixture
def exercises(database: Database) -> Database:
    """A database that knows the exercises."""
    record_revisions(database)
    return database


def count_rows(database: Database) -> int:
    with database.reading() as session:
        return len(session.exec(select(InstanceRow)).all())


def test_it_grows_with_each_submission_until_it_is_full(exercises: Database) -> None:
    pool = HiddenPool(exercises, InstanceStore(exercises, SECRET), size=3)
    counts = []
    for _ in range(5):
        pool.refill(EXERCISE)
        counts.append(count_rows(exercises))

    assert counts == [1, 2, 3, 3, 3]
    another_process = HiddenPool(exercises, InstanceStore(exercises, SECRET), size=3)
    another_process.refill(EXERCISE)
    assert count_rows(exercises) == 3
    assert {another_process.lot(EXERCISE, ()) for _ in range(100)} == {pool.lot(EXERCISE, ()) for _ in range(100)}


def test_nobody_gets_one_again_while_there_is_another(exercises: Database) -> None:
    pool = HiddenPool(exercises, InstanceStore(exercises, SECRET), size=3)
    for _ in range(3):
        pool.refill(EXERCISE)
    seen: list[int] = []
    for _ in range(3):
        seen.append(pool.lot(EXERCISE, seen))

    assert len(set(seen)) == 3
    assert pool.lot(EXERCISE, seen) in seen


def test_an_old_one_is_drawn_no_more(exercises: Database) -> None:
    clock = Clock()
    pool = HiddenPool(exercises, InstanceStore(exercises, SECRET), size=2, lifetime=DAY, clock=clock)
    for _ in range(2):
        pool.refill(EXERCISE)
    old = {pool.lot(EXERCISE, ()) for _ in range(50)}

    clock.moment += DAY + timedelta(hours=1)
    pool.refill(EXERCISE)

    assert not old & {pool.lot(EXERCISE, ()) for _ in range(50)}
    store = InstanceStore(exercises, SECRET)
    for id in old:  # a regrade still has it
        stored = store.load(id, EXERCISE)
        assert stored is not None
        assert (stored.id, stored.instance.kind) == (id, Kind.HIDDEN)


def test_processes_that_draw_at_once_do_not_draw_too_many(exercises: Database) -> None:
    pools = [HiddenPool(exercises, InstanceStore(exercises, SECRET), size=2) for _ in range(4)]
    with ThreadPoolExecutor(4) as threads:
        for pool in pools:
            threads.submit(pool.refill, EXERCISE)

    assert count_rows(exercises) == 2


def test_code_is_graded_on_another_instance_each_time(
    server: RunningServer, student: Student, fake_sandbox: object
) -> None:
    for _ in range(3):
        assert student.submit_code(SOLUTION).status_code == 201

    with server.services.database.reading() as session:
        graded_on = session.exec(select(SubmissionRow.instance_id, GradeRow.instance_id).join(GradeRow)).all()
    assert len({instance for instance, _ in graded_on}) == 3
    assert all(chosen == used for chosen, used in graded_on)


def regrade(server: RunningServer) -> list[int]:
    """Grade again what has a grade of another environment; the instances of the old grade and the new one."""
    with server.services.database.writing() as session:
        session.exec(select(GradeRow)).one().environment = "an older one"
    address = "/api/v1/courses/backprop/regrade"
    assert server.instructor.post(address).status_code == 202
    assert eventually(lambda: server.instructor.get(address).json()["waiting"] == 0)
    with server.services.database.reading() as session:
        grades = session.exec(select(GradeRow).order_by(col(GradeRow.id))).all()
    assert grades[0].environment != grades[1].environment
    return [each.instance_id for each in grades]


def test_a_regrade_uses_the_same_instance(server: RunningServer, student: Student, fake_sandbox: object) -> None:
    student.submit_code(SOLUTION)

    old, new = regrade(server)

    assert old == new


def test_what_was_handed_in_before_there_was_a_pool_keeps_the_instance_of_its_grade(
    server: RunningServer, student: Student, fake_sandbox: object
) -> None:
    id = student.submit_code(SOLUTION).json()["id"]
    with server.services.database.writing() as session:
        session.get_one(SubmissionRow, id).instance_id = None

    old, new = regrade(server)

    assert old == new
