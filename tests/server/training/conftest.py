"""Training driven by hand, on both databases: a small network, few names, chunks of ten steps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from safetensors.torch import load
from sqlmodel import col, select
from torch import Tensor

from grader.sandbox import Job
from grader.training import Trainer
from server.courses import courses
from server.database.engine import Database
from server.metrics import Metrics
from server.queue.timing import TrainingPace
from server.tables import Role, TrainingChunkRow, TrainingRunRow
from server.training.run import TrainingRun
from server.training.worker import TrainingWork
from tests.support.backward import FUNCTION
from tests.support.servers import FakeSandbox
from tests.support.training import QUEUED, small_trainer, write_run

CHUNK_STEPS = 10
# Chunks stay as they begin, and what was lost is taken again at once.
PACE = TrainingPace(chunk_seconds=1e9, growth=1, first_steps=CHUNK_STEPS, retry_seconds=0.0, lease_seconds=0.0)


@pytest.fixture(scope="session")
def trainer(tmp_path_factory: pytest.TempPathFactory) -> Trainer:
    return small_trainer(tmp_path_factory.mktemp("names"))


@dataclass
class Gym:
    """A database with two students, and what trains their runs. Nothing happens unless a test does it."""

    database: Database
    sandbox: FakeSandbox
    trainer: Trainer
    course: int
    students: list[int]

    def work(self, pace: TrainingPace = PACE, turns: int = 8) -> TrainingWork:
        """A further process."""
        runner = self.sandbox.code_runner()
        assert runner.is_ready()
        return TrainingWork(self.database, runner, lambda: self.trainer, pace, Metrics(), turns)

    def begin(self, source: str = FUNCTION, student: int = 0, **values: Any) -> int:
        """Start a run of 40 steps, by default for the ranking; return its id."""
        begun: dict[str, Any] = QUEUED | {
            "body": source.encode(),
            "steps": 40,
            "batch": 4,
            "schedule": [[0, 0.1], [20, 0.01]],
            "seed": 5,
            "dataset": self.trainer.network.dataset,
            "chunk_steps": CHUNK_STEPS,
            "ranked": True,
            "pseudonym": "Ada",
        }
        with self.database.writing() as session:
            return write_run(session, self.course, self.students[student], **begun | values)

    @property
    def chunks(self) -> list[Job]:
        """The chunks that were begun."""
        return [job for job in self.sandbox.jobs if job.loop is not None]

    def row(self, run: int) -> TrainingRunRow:
        with self.database.reading() as session:
            return session.get_one(TrainingRunRow, run)

    def run(self, run: int) -> TrainingRun:
        return TrainingRun.of(self.row(run))

    def change(self, run: int, change: Callable[[TrainingRunRow], object]) -> None:
        with self.database.writing() as session:
            change(session.get_one(TrainingRunRow, run))

    def kept(self, run: int) -> list[int]:
        """The steps after which parameters are kept."""
        chunks = select(TrainingChunkRow.step).where(TrainingChunkRow.run_id == run)
        with self.database.reading() as session:
            return list(session.exec(chunks.order_by(col(TrainingChunkRow.step))))

    def parameters(self, run: int) -> dict[str, Tensor]:
        """The parameters after the last step so far."""
        with self.database.reading() as session:
            step = session.get_one(TrainingRunRow, run).step
            return load(session.get_one(TrainingChunkRow, (run, step)).parameters)

    def bytes(self, run: int) -> bytes:
        with self.database.reading() as session:
            step = session.get_one(TrainingRunRow, run).step
            return session.get_one(TrainingChunkRow, (run, step)).parameters

    def finish(self, run: int, work: TrainingWork) -> TrainingRun:
        """Let workers and the referee take turns until a run is over."""
        for _ in range(100):
            if not self.run(run).is_live:
                return self.run(run)
            work.work_next()
            work.referee.work_next()
        raise AssertionError(f"the run stands still: {self.run(run)}")


@pytest.fixture
def gym(database: Database, trainer: Trainer) -> Gym:
    with database.writing() as session:
        course = courses.open_course(session, "backprop", "Backprop")
        students = [courses.enrol(session, course, name, Role.STUDENT).account.id for name in ("Ada", "Bob")]
        course_id = course.id
    return Gym(database, FakeSandbox(), trainer, course_id, students)


@pytest.fixture
def work(gym: Gym) -> TrainingWork:
    return gym.work()
