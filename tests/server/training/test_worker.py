"""Chunk by chunk: what is stored, what is lost and taken again, and whose fault it is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from safetensors.torch import load
from sqlmodel import Session

from grader.sandbox import Job, SandboxFault
from grader.sandbox.job import SandboxExhausted
from grader.training import CHUNK_LIMITS, MEASURED_LIMITS, MEASURED_STEPS
from server.database.engine import Database
from server.database.outage import DatabaseUnavailable
from server.queue.queries import BACKGROUND_RANK
from server.queue.timing import TrainingPace
from server.tables import Check, RunState
from server.training import runs, store
from server.training.worker import TrainingWork
from tests.server.training.conftest import CHUNK_STEPS, PACE, Gym
from tests.support.backward import FUNCTION, function

on_sqlite = pytest.mark.parametrize("url", ["sqlite"], indirect=True)


class Killed(BaseException):
    """The process is gone: nothing below catches it."""


def test_a_right_run_is_done_checked_and_measured(gym: Gym, work: TrainingWork) -> None:
    id = gym.begin()

    run = gym.finish(id, work)

    assert (run.state, run.step, run.checked, run.message) == (RunState.DONE, 40, Check.YES, None)
    assert [step for step, _ in run.curve] == [0, 10, 20, 30, 40]
    assert [step for step, _ in run.reference_curve] == [0, 10, 20, 30, 40]
    assert all(abs(one - other) < 1e-5 for (_, one), (_, other) in zip(run.curve, run.reference_curve, strict=True))
    assert run.curve[-1][1] < run.curve[0][1]
    assert run.final == gym.trainer.network.measured(gym.parameters(id), 1, 0).losses
    assert len(run.samples) == 20 and run.finished_at is not None
    assert len(gym.chunks) == 4 and run.seconds_left is None


@on_sqlite
def test_the_parameters_are_those_of_plain_gradient_descent(gym: Gym, work: TrainingWork) -> None:
    id = gym.begin(ranked=False)
    network = gym.trainer.network
    chunk = gym.trainer.chunk(5, 0, 4, [0.1] * 20 + [0.01] * 20, network.start(5))

    gym.finish(id, work)

    expected = gym.trainer.replay(chunk)
    assert all((gym.parameters(id)[name] - expected[name]).abs().max() < 1e-6 for name in network.parameter_names)


def test_a_run_that_is_killed_five_times_ends_with_the_same_bytes(gym: Gym, work: TrainingWork) -> None:
    whole = gym.begin()
    gym.finish(whole, work)
    gym.sandbox.jobs.clear()
    deaths, killed = {1, 2, 4, 7, 8}, list[int]()  # the jobs that take their process with them

    def before(job: Job) -> None:
        if job.loop is not None and len(gym.chunks) in deaths:
            killed.append(len(gym.chunks))
            raise Killed

    gym.sandbox.before = before
    id = gym.begin(student=1, chunk_steps=7)

    while gym.run(id).is_live:
        process = gym.work()  # a further one, after each death
        try:
            gym.finish(id, process)
        except Killed:
            continue

    assert killed == sorted(deaths)
    assert gym.run(id).checked is Check.YES
    assert gym.bytes(id) == gym.bytes(whole)


@on_sqlite
def test_only_the_last_chunks_are_kept(gym: Gym, work: TrainingWork) -> None:
    id = gym.begin()
    kept = []

    while gym.run(id).is_live:
        work.work_next()
        kept.append(gym.kept(id))
        work.referee.work_next()

    assert kept[:4] == [[0, 10], [10, 20], [20, 30], [30, 40]]
    assert gym.kept(id) == [30, 40]


@on_sqlite
def test_a_run_does_not_go_on_while_a_replay_is_behind(gym: Gym, work: TrainingWork) -> None:
    id = gym.begin()
    begun = [work.work_next() for _ in range(3)]

    assert begun == [True, True, False]
    assert (gym.run(id).step, gym.kept(id)) == (20, [0, 10, 20])
    assert work.referee.work_next()
    assert work.work_next()
    assert gym.run(id).step == 30


@on_sqlite
def test_a_run_that_is_not_ranked_is_replayed_in_samples(gym: Gym) -> None:
    work = gym.work(replace(PACE, sample=3))
    id = gym.begin(ranked=False, pseudonym=None)

    run = gym.finish(id, work)

    assert (run.state, run.checked) == (RunState.DONE, Check.NO)
    assert [step for step, _ in run.reference_curve] == [0, 10, 40]


# -- the student's own fault ---------------------------------------------------------------------------------


@on_sqlite
def test_an_error_ends_the_run_with_the_students_words(gym: Gym, work: TrainingWork) -> None:
    id = gym.begin(FUNCTION.replace("dlogits /= n", "dlogits /= m"))

    run = gym.finish(id, work)

    assert run.state is RunState.FAILED and run.step == 0
    assert run.message is not None
    assert "stopped after step 0" in run.message and "name 'm' is not defined" in run.message
    assert run.message.endswith("start again.") and gym.kept(id) == []


@on_sqlite
@pytest.mark.parametrize("gradient", ["dW2 * float('inf')", "torch.full_like(dW2, -3.3e38)"], ids=["inf", "overflow"])
def test_a_run_that_blows_up_is_told_so(gym: Gym, work: TrainingWork, gradient: str) -> None:
    run = gym.finish(gym.begin(function(dW2=gradient)), work)

    assert run.state is RunState.FAILED
    assert "no numbers any more" in (run.message or "")


@on_sqlite
def test_a_chunk_that_takes_too_long_is_cut_shorter_first(gym: Gym) -> None:
    work = gym.work(replace(PACE, growth=4))
    gym.sandbox.seconds = lambda job: 100.0
    id = gym.begin()

    run = gym.finish(id, work)

    assert run.state is RunState.FAILED and "too long" in (run.message or "")
    assert [len(load(job.state)["rates"]) for job in gym.chunks] == [10, 2, 1]


@on_sqlite
def test_slow_code_ends_once_it_took_more_than_its_share(gym: Gym) -> None:
    work = gym.work(replace(PACE, free_seconds=4.0))
    gym.sandbox.seconds = lambda job: 0.064 if job.filename == "solution.py" else 5.0
    id = gym.begin()

    run = gym.finish(id, work)

    assert (run.state, run.step, gym.row(id).seconds) == (RunState.FAILED, 10, 5.0)
    assert [len(load(job.state)["rates"]) for job in gym.chunks] == [10, MEASURED_STEPS]
    message = run.message or ""
    assert "Up to step 10, a step took 500 ms" in message  # 5 s for ten steps; the lecture's takes 2 ms
    assert "250 times as long" in message and "20 times is the limit" in message
    assert message.endswith("start again.")


@on_sqlite
@pytest.mark.parametrize("pass_", [0.8, 100.0], ids=["slow", "out of time"])
def test_on_a_slow_machine_the_lectures_is_slow_too(gym: Gym, pass_: float) -> None:
    work = gym.work(replace(PACE, free_seconds=4.0))
    gym.sandbox.seconds = lambda job: pass_ if job.filename == "solution.py" else 5.0

    run = gym.finish(gym.begin(), work)

    assert (run.state, run.message, run.checked) == (RunState.DONE, None, Check.YES)
    assert [job.filename for job in gym.chunks].count("solution.py") == 1


@on_sqlite
def test_chunks_that_met_their_limit_count_too(gym: Gym) -> None:
    work = gym.work(replace(PACE, free_seconds=4.0, growth=2))
    gym.sandbox.seconds = lambda job: 0.032 if job.filename == "solution.py" else 1.5 * len(load(job.state)["rates"])

    run = gym.finish(gym.begin(), work)

    assert "Up to step 5, a step took 3,500 ms" in (run.message or "")  # 10 s for nothing, and 7.5 s for five steps


# -- our fault -----------------------------------------------------------------------------------------------


@on_sqlite
def test_a_lost_chunk_is_run_again_and_told_to_nobody(gym: Gym, work: TrainingWork) -> None:
    def before(job: Job) -> None:
        if job.loop is not None and len(gym.chunks) % 2:
            raise SandboxFault("the zygote died")

    gym.sandbox.before = before
    id = gym.begin()

    run = gym.finish(id, work)

    assert (run.state, run.checked, run.message) == (RunState.DONE, Check.YES, None)


@on_sqlite
@pytest.mark.parametrize(("fault", "state"), [(SandboxFault, RunState.FAILED), (SandboxExhausted, RunState.RUNNING)])
def test_what_is_lost_every_time_ends_unless_nothing_runs_at_all(
    gym: Gym, work: TrainingWork, fault: type[SandboxFault], state: RunState
) -> None:
    def before(job: Job) -> None:
        if job.loop is not None:
            raise fault("away")

    gym.sandbox.before = before
    id = gym.begin()

    for _ in range(2 * store.TRIES_MAX):
        work.work_next()

    run = gym.run(id)
    assert run.state is state
    assert (run.message is None) is (state is RunState.RUNNING)
    if run.message:
        assert "your code is not to blame" in run.message


@on_sqlite
def test_a_chunk_that_the_database_does_not_take_is_run_again(gym: Gym) -> None:
    away = iter((False, True, True, False))  # of the transactions that write: the claim is stored, its end is not

    class Away(Database):
        @contextmanager
        def writing(self, *, durable: bool = True) -> Iterator[Session]:
            if next(away, False):
                raise DatabaseUnavailable("the database is away")
            with super().writing(durable=durable) as session:
                yield session

    id = gym.begin()
    gym.database = Away(str(gym.database.engine.url))
    work = gym.work()
    steps = []

    for _ in range(3):
        work.work_next()
        steps.append((gym.run(id).step, gym.row(id).tries))

    assert steps == [(0, 1), (0, 1), (10, 0)]
    assert gym.run(id).message is None
    gym.database.close()


@on_sqlite
def test_a_run_on_other_names_is_not_the_students_fault(gym: Gym, work: TrainingWork) -> None:
    run = gym.finish(gym.begin(dataset="f" * 64), work)

    assert run.state is RunState.FAILED
    assert "Your code is not to blame" in (run.message or "")


def test_who_was_thought_dead_stores_nothing(gym: Gym, work: TrainingWork) -> None:
    other = gym.work()
    id = gym.begin()

    def before(job: Job) -> None:
        gym.sandbox.before = lambda job: None
        assert other.work_next()  # the lease is over at once

    gym.sandbox.before = before
    work.work_next()

    assert (gym.run(id).step, gym.row(id).chunks, gym.kept(id)) == (CHUNK_STEPS, 1, [0, CHUNK_STEPS])


# -- several runs --------------------------------------------------------------------------------------------


def test_two_runs_take_turns(gym: Gym, work: TrainingWork) -> None:
    ids = [gym.begin(ranked=False), gym.begin(student=1, ranked=False)]
    steps = []

    for _ in range(4):
        work.work_next()
        work.referee.work_next()
        steps.append([gym.run(id).step for id in ids])

    assert steps == [[10, 0], [10, 10], [20, 10], [20, 20]]


def test_the_run_that_took_least_time_goes_first(gym: Gym) -> None:
    work = gym.work(replace(PACE, free_seconds=100.0))
    slow, quick = function(dC="dC * 1.0"), FUNCTION
    gym.sandbox.seconds = lambda job: 6.0 if job.source == slow else 2.0
    ids = [gym.begin(slow, ranked=False), gym.begin(quick, student=1, ranked=False)]
    steps = []

    for _ in range(5):
        work.work_next()
        work.referee.work_next()
        steps.append([gym.run(id).step for id in ids])

    assert steps == [[10, 0], [10, 10], [10, 20], [10, 30], [20, 30]]


@on_sqlite
def test_no_more_runs_are_leased_than_may_be(gym: Gym) -> None:
    work = gym.work(replace(PACE, lease_seconds=60.0), turns=1)
    gym.begin()
    gym.begin(student=1)
    taken = []
    gym.sandbox.before = lambda job: taken.append(work.work_next())

    work.work_next()

    assert taken == [False]


@on_sqlite
def test_without_a_run_it_looks_when_it_expects_one(gym: Gym, work: TrainingWork) -> None:
    looked = [work.work_next()]
    gym.begin()

    looked.append(work.work_next())
    work.expect()
    looked.append(work.work_next())

    assert looked == [False, False, True]


@on_sqlite
def test_what_is_cancelled_while_it_runs_is_dropped(gym: Gym, work: TrainingWork) -> None:
    id = gym.begin()
    work.work_next()

    def before(job: Job) -> None:
        with gym.database.writing() as session:
            runs.cancel(session, id)

    gym.sandbox.before = before
    work.work_next()

    run = gym.run(id)
    assert (run.state, run.step, gym.kept(id)) == (RunState.CANCELLED, CHUNK_STEPS, [])
    assert not work.work_next() and not work.referee.work_next()
    assert len(gym.chunks) == 2


# -- by its number, as procrastinate's jobs do it ------------------------------------------------------------


def test_a_job_goes_on_until_the_steps_are_taken(gym: Gym, work: TrainingWork) -> None:
    gym.sandbox.seconds = lambda job: 2.5
    id = gym.begin(ranked=False)
    ranks = []

    while (again := work.work_on(id)) is not None:
        ranks.append(again.rank)
        work.referee.work_next()

    assert gym.run(id).step == 40
    assert ranks == [BACKGROUND_RANK + seconds for seconds in (2, 5, 7, 10)]
    with gym.database.reading() as session:
        assert work.waiting(session) == []


def test_a_chunk_is_over_before_its_lease_is() -> None:
    assert CHUNK_LIMITS.wall_seconds + MEASURED_LIMITS.wall_seconds < TrainingPace().lease_seconds - 3


@pytest.mark.parametrize(
    ("steps", "seconds", "batch", "expected"),
    [
        (16, 0.0, 32, 64),  # four times as many at most
        (1000, 1.25, 32, 1000),
        (1000, 2.5, 32, 500),
        (1, 9.0, 32, 1),
        (4000, 1.0, 32, 4096),
        (1000, 0.9, 1024, 1024),  # what fits into a job
    ],
)
def test_a_chunk_takes_about_as_long_as_it_should(steps: int, seconds: float, batch: int, expected: int) -> None:
    assert TrainingPace().next_steps(steps, seconds, batch) == expected
