"""What is kept of a training run: its curve, and which chunks are replayed."""

from __future__ import annotations

from sqlmodel import col, select

from server.tables import RunState, TrainingChunkRow
from server.training.store import CURVE_POINTS_MAX, held, make_later_chunks_due, with_point
from tests.server.training.conftest import Gym


def test_a_very_long_curve_loses_every_other_point_and_neither_end() -> None:
    long = [[step, 2.0] for step in range(0, 10 * CURVE_POINTS_MAX, 10)]

    assert with_point(long[:-1], 5_000, 1.0) == [*long[:-1], [5_000, 1.0]]
    odd = with_point(long, 5_000, 1.0)
    even = with_point([*long, [4_500, 1.5]], 5_000, 1.0)

    assert odd == [*long[::2], [5_000, 1.0]]
    assert even == [*long[::2], [4_500, 1.5], [5_000, 1.0]]


def test_after_a_mistake_all_later_chunks_of_the_run_are_replayed(gym: Gym) -> None:
    run, other = gym.begin(), gym.begin(student=1)
    with gym.database.writing() as session:
        for id, step in ((run, 10), (run, 20), (run, 30), (other, 30)):
            session.add(TrainingChunkRow(run_id=id, step=step, parameters=b""))

    with gym.database.writing() as session:
        make_later_chunks_due(session, run, 10)

    due = select(TrainingChunkRow.run_id, TrainingChunkRow.step).where(col(TrainingChunkRow.is_due))
    with gym.database.reading() as session:
        assert sorted(session.exec(due).all()) == [(run, 20), (run, 30)]


def test_only_the_newest_claim_of_a_run_that_goes_on_holds_it(gym: Gym) -> None:
    running = gym.begin(state=RunState.RUNNING, claims=3)
    cancelled = gym.begin(student=1, state=RunState.CANCELLED, claims=3)

    claims = [(run, number) for run in (running, cancelled) for number in (2, 3)]
    with gym.database.writing() as session:
        holding = [claim for claim in claims if held(session, *claim) is not None]

    assert holding == [(running, 3)]
