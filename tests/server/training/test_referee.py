"""The referee: wrong but honest, forged, and what becomes of the curves."""

from __future__ import annotations

from dataclasses import replace

import pytest
import sqlalchemy
from safetensors.torch import load, save

from grader.sandbox import Job, SandboxFault
from server.tables import Check, RunState, TrainingChunkRow
from server.training.ranking import ranking
from server.training.referee import REPLAYS_MAX
from server.training.worker import TrainingWork
from tests.server.training.conftest import Gym
from tests.support.backward import FUNCTION, function
from tests.support.servers import eventually
from tests.support.training import write_run

on_sqlite = pytest.mark.parametrize("url", ["sqlite"], indirect=True)
WRONG = function(dC="1.5 * dC", db2="0 * db2")
# It behaves for three steps in each process, so its chunks are not what its backward gives.
FORGED = "calls = []\n" + function(dW2="dW2 * (3 if calls.append(1) or len(calls) > 3 else 1)")


@on_sqlite
def test_a_wrong_run_trains_for_show_beside_the_right_curve(gym: Gym, work: TrainingWork) -> None:
    right, wrong = gym.begin(), gym.begin(WRONG, student=1)
    expected = gym.finish(right, work)

    run = gym.finish(wrong, work)

    assert (run.state, run.step, run.checked) == (RunState.DONE, 40, Check.FAILED)
    assert "not ranked" in (run.message or "") and "after step 10" in (run.message or "")
    pairs = zip(run.reference_curve, expected.reference_curve, strict=True)
    assert all(abs(one - other) < 1e-5 for (_, one), (_, other) in pairs)
    assert run.curve[-1][1] != pytest.approx(run.reference_curve[-1][1], abs=1e-3)
    with gym.database.reading() as session:
        assert [place.pseudonym for place in ranking(session, gym.course, gym.students[0], 10**9)] == ["Ada"]


@on_sqlite
def test_a_wrong_run_that_is_not_ranked_has_the_whole_right_curve(gym: Gym, work: TrainingWork) -> None:
    run = gym.finish(gym.begin(WRONG, ranked=False, pseudonym=None), work)

    assert [step for step, _ in run.reference_curve] == [0, 10, 20, 30, 40]


def test_a_forged_run_ends(gym: Gym, work: TrainingWork) -> None:
    id = gym.begin(FORGED)

    run = gym.finish(id, work)

    assert (run.state, run.checked) == (RunState.FORGED, Check.FAILED)
    assert (run.message or "").startswith("Your parameters after step 10 are not what your backward gives.")
    assert gym.kept(id) == [] and run.final is None


@on_sqlite
def test_a_run_that_begins_to_forge_later_is_caught_at_that_chunk(gym: Gym, work: TrainingWork) -> None:
    id = gym.begin()
    for _ in range(2):
        work.work_next()
        work.referee.work_next()
    gym.change(id, lambda row: setattr(row, "body", FORGED.encode()))

    run = gym.finish(id, work)

    assert run.state is RunState.FORGED and "after step 30" in (run.message or "")


@on_sqlite
def test_a_replay_that_the_sandbox_loses_is_done_again(gym: Gym, work: TrainingWork) -> None:
    lost = list[Job]()

    def before(job: Job) -> None:
        if job.loop is None and job.source == WRONG and not lost:
            lost.append(job)
            raise SandboxFault("the zygote died")

    gym.sandbox.before = before
    id = gym.begin(WRONG)

    run = gym.finish(id, work)

    assert len(lost) == 1
    assert (run.state, run.checked) == (RunState.DONE, Check.FAILED)


@on_sqlite
def test_a_run_whose_replay_never_ends_is_ended(gym: Gym, work: TrainingWork) -> None:
    # Fast in a chunk, and without end in a child of its own: its replay must not be tried forever.
    gym.sandbox.seconds = lambda job: 99.0 if job.loop is None and job.source == WRONG else 0.0
    id = gym.begin(WRONG)
    for _ in range(2 * REPLAYS_MAX):
        work.work_next()
        work.referee.work_next()

    run = gym.run(id)

    assert run.state is RunState.FAILED and "could not be checked in 3 tries" in (run.message or "")
    assert gym.kept(id) == []


@on_sqlite
def test_a_replay_that_is_lost_again_and_again_is_not_the_students_fault(gym: Gym, work: TrainingWork) -> None:
    def before(job: Job) -> None:
        if job.loop is None and job.source == WRONG:
            raise SandboxFault("the zygote died")

    gym.sandbox.before = before

    run = gym.finish(gym.begin(WRONG), work)

    assert run.state is RunState.FAILED and "5 times in a row, and your code is not to blame" in (run.message or "")


@on_sqlite
def test_steps_that_take_too_long_one_by_one_are_not_taken_to_the_end(gym: Gym) -> None:
    gym.trainer = replace(gym.trainer, own_seconds_max=0.0)
    work, id = gym.work(), gym.begin(WRONG)

    run = gym.finish(id, work)

    assert run.state is RunState.FAILED and "could not be checked" in (run.message or "")
    single = [job for job in gym.sandbox.jobs if job.source == WRONG and job.loop is None]
    assert len(single) == REPLAYS_MAX  # one step a try


@on_sqlite
@pytest.mark.parametrize("made", ["dW1.to(torch.complex64)", "dW1 != 0"])
def test_a_gradient_of_another_kind_does_not_stop_the_referee(gym: Gym, work: TrainingWork, made: str) -> None:
    # The claim is written by hand: the code gives other kinds to the referee than to a chunk.
    id = gym.begin(WRONG)
    work.work_next()
    gym.change(id, lambda row: setattr(row, "body", function(dW1=made).encode()))

    assert work.referee.work_next()

    assert gym.run(id).state is RunState.FORGED


@on_sqlite
def test_a_network_that_has_no_probabilities_any_more_ends_its_run(gym: Gym, work: TrainingWork) -> None:
    id = gym.begin(ranked=False, pseudonym=None, steps=10)
    work.work_next()
    work.referee.work_next()
    with gym.database.writing() as session:
        chunk = session.get_one(TrainingChunkRow, (id, 10))
        chunk.parameters = save({name: tensor * 1e30 for name, tensor in load(chunk.parameters).items()})

    assert work.referee.work_next()

    assert gym.run(id).state is RunState.FAILED and "are no numbers any more" in (gym.run(id).message or "")


@on_sqlite
def test_who_stops_gives_the_replay_back(gym: Gym, work: TrainingWork) -> None:
    id = gym.begin()
    work.work_next()
    work.referee._stopping.set()

    assert work.referee.work_next()

    assert gym.run(id).reference_curve == gym.run(id).curve[:1]
    assert gym.work().referee.work_next()
    assert len(gym.run(id).reference_curve) == 2


@on_sqlite
def test_its_thread_replays_and_ends_by_itself(gym: Gym, work: TrainingWork) -> None:
    id = gym.begin(steps=10)
    work.start()
    try:
        work.work_next()

        assert eventually(lambda: gym.run(id).state is RunState.DONE)
        assert work.threads[0].health == "ok"
    finally:
        work.stop()


@on_sqlite
def test_the_same_code_is_right_for_one_and_the_best_run_counts(gym: Gym, work: TrainingWork) -> None:
    first = gym.finish(gym.begin(), work)
    gym.begin(steps=20, seed=9)
    gym.finish(gym.begin(FUNCTION, student=1, seed=6, pseudonym="Bob"), work)
    gym.finish(2, work)

    with gym.database.reading() as session:
        places = ranking(session, gym.course, gym.students[1], 160)

    assert {place.pseudonym for place in places} == {"Ada", "Bob"}
    assert [place.place for place in places] == [1, 2]
    assert [place.is_mine for place in places] == [place.pseudonym == "Bob" for place in places]
    assert first.final is not None and min(place.dev_loss for place in places) <= first.final.dev
    with gym.database.reading() as session:
        assert ranking(session, gym.course, gym.students[1], 79) == []


@on_sqlite
def test_the_ranking_reads_no_code(gym: Gym) -> None:
    with gym.database.writing() as session:
        write_run(session, gym.course, gym.students[0], checked=Check.YES, ranked=True, pseudonym="Ada")
    read: list[str] = []
    with gym.database.reading() as session:
        sqlalchemy.event.listen(session.connection(), "before_cursor_execute", lambda *call: read.append(call[2]))
        (place,) = ranking(session, gym.course, gym.students[0], 10**9)

    assert place.pseudonym == "Ada"
    assert len(read) == 1 and "pseudonym" in read[0] and "body" not in read[0] and "curve" not in read[0]
