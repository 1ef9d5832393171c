"""Starting runs on both databases: two at once, and beside others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from threading import Event, Thread

import pytest

from server.courses import courses
from server.courses.access import Membership
from server.database.table import now
from server.tables import CourseRow, Role, RunState
from server.training import runs
from server.training.plan import Budget
from server.training.run import TrainingRun
from server.training.runs import DAY, RUNS_PER_DAY, Order, OverBudget, TakenPseudonym, Terms
from tests.server.training.conftest import Gym
from tests.support.backward import FUNCTION
from tests.support.training import write_run

BUDGET = Budget(20, 100, 10_000)
RANKED = Order("backward.py", FUNCTION, ranked=True, pseudonym="Gradient Queen")
MOMENT_SECONDS = 0.3  # that the second of two is given to come too early; it may use it or not


def start(
    gym: Gym, student: int, order: Order, before_commit: Callable[[], None] = lambda: None, budget: Budget = BUDGET
) -> TrainingRun:
    """Start a run of a student."""
    with gym.database.writing() as session:
        member = Membership(session.get_one(CourseRow, gym.course), frozenset({Role.STUDENT}))
        terms = Terms(budget, b"key", lambda: gym.trainer, lambda session, run_id: before_commit())
        return runs.start(session, member, gym.students[student], order, terms)


def test_of_two_who_take_a_pseudonym_at_once_one_gets_it(gym: Gym) -> None:
    begun, refused, over = list[TrainingRun](), list[TakenPseudonym](), Event()

    def second() -> None:
        try:
            begun.append(start(gym, 1, RANKED))
        except TakenPseudonym as problem:
            refused.append(problem)
        over.set()

    thread = Thread(target=second)

    def before_commit() -> None:
        thread.start()  # the first has looked for others, and is not stored yet
        over.wait(MOMENT_SECONDS)

    start(gym, 0, RANKED, before_commit)
    thread.join()

    assert (len(begun), len(refused)) == (0, 1)


def test_a_new_run_begins_where_that_with_least_time_stands(gym: Gym) -> None:
    first = gym.begin(state=RunState.RUNNING, turn_seconds=7.5)
    gym.begin(state=RunState.DONE, turn_seconds=1.0, step=40)

    run = start(gym, 1, Order("backward.py", FUNCTION))

    assert (gym.row(first).turn_seconds, gym.row(run.id).turn_seconds) == (7.5, 7.5)


def test_a_ranked_run_sees_as_many_examples_as_it_may(gym: Gym) -> None:
    order = replace(RANKED, steps=20, batch=32)

    with pytest.raises(OverBudget):
        start(gym, 0, order, budget=replace(BUDGET, ranked_examples_max=639))
    assert start(gym, 0, order, budget=replace(BUDGET, ranked_examples_max=640)).plan.examples == 640


def test_runs_of_the_day_before_leave_room(gym: Gym) -> None:
    with gym.database.writing() as session:
        for _ in range(RUNS_PER_DAY):
            write_run(session, gym.course, gym.students[0], created_at=now() - DAY - timedelta(seconds=1))

    assert start(gym, 0, Order("backward.py", FUNCTION)).state is RunState.QUEUED


def test_names_and_pseudonyms_of_another_course_are_free(gym: Gym) -> None:
    with gym.database.writing() as session:
        elsewhere = courses.open_course(session, "autumn", "Autumn")
        carol = courses.enrol(session, elsewhere, "Carol", Role.STUDENT).account.id
        write_run(session, elsewhere.id, carol, ranked=True, pseudonym=RANKED.pseudonym)

    assert start(gym, 0, RANKED).pseudonym == "Gradient Queen"
    assert start(gym, 1, replace(RANKED, pseudonym="Carol")).pseudonym == "Carol"
