"""Starting runs on both databases: two at once, and beside others."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event, Thread

from server.courses.access import Membership
from server.tables import CourseRow, Role, RunState
from server.training import runs
from server.training.plan import Budget
from server.training.run import TrainingRun
from server.training.runs import Order, TakenPseudonym, Terms
from tests.server.training.conftest import Gym
from tests.support.backward import FUNCTION

BUDGET = Budget(20, 100, 10_000)
MOMENT_SECONDS = 0.3  # that the second of two is given to come too early; it may use it or not


def start(gym: Gym, student: int, order: Order, before_commit: Callable[[], None] = lambda: None) -> TrainingRun:
    """Start a run of a student."""
    with gym.database.writing() as session:
        member = Membership(session.get_one(CourseRow, gym.course), frozenset({Role.STUDENT}))
        terms = Terms(BUDGET, b"key", lambda: gym.trainer, lambda session, run_id: before_commit())
        return runs.start(session, member, gym.students[student], order, terms)


def test_of_two_who_take_a_pseudonym_at_once_one_gets_it(gym: Gym) -> None:
    order = Order("backward.py", FUNCTION, ranked=True, pseudonym="Gradient Queen")
    begun, refused, over = list[TrainingRun](), list[TakenPseudonym](), Event()

    def second() -> None:
        try:
            begun.append(start(gym, 1, order))
        except TakenPseudonym as problem:
            refused.append(problem)
        over.set()

    thread = Thread(target=second)

    def before_commit() -> None:
        thread.start()  # the first has looked for others, and is not stored yet
        over.wait(MOMENT_SECONDS)

    start(gym, 0, order, before_commit)
    thread.join()

    assert (len(begun), len(refused)) == (0, 1)


def test_a_new_run_begins_where_that_with_least_time_stands(gym: Gym) -> None:
    first = gym.begin(state=RunState.RUNNING, turn_seconds=7.5)
    gym.begin(state=RunState.DONE, turn_seconds=1.0, step=40)

    run = start(gym, 1, Order("backward.py", FUNCTION))

    assert (gym.row(first).turn_seconds, gym.row(run.id).turn_seconds) == (7.5, 7.5)
