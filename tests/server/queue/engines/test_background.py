"""Training runs on the engines: to their end, after a worker that was lost, and without their jobs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from grader.sandbox import Job, SandboxFault
from grader.training import Trainer
from server.queue.timing import Timing, TrainingPace
from server.settings import Settings
from tests.server.queue.engines.conftest import workers
from tests.support.backward import FUNCTION
from tests.support.servers import IMPATIENT, FakeSandbox, RunningServer, Student, eventually
from tests.support.training import small_trainer

pytestmark = pytest.mark.parametrize("engine", ["embedded-sqlite", "procrastinate-postgresql"])


@pytest.fixture
def timing() -> Timing:
    """Chunks of five steps; what was lost is taken again at once."""
    pace = TrainingPace(chunk_seconds=1e9, growth=1, first_steps=5, retry_seconds=0, look_seconds=0.02)
    return replace(IMPATIENT, sweep_seconds=0.05, training=pace)


@pytest.fixture(scope="module")
def trainer(tmp_path_factory: pytest.TempPathFactory) -> Trainer:
    """A small network."""
    return small_trainer(tmp_path_factory.mktemp("names"))


def test_a_run_goes_on_to_its_end(
    server: RunningServer,
    student: Student,
    settings: Settings,
    fake_sandbox: FakeSandbox,
    timing: Timing,
    trainer: Trainer,
) -> None:
    lost = list[Job]()

    def before(job: Job) -> None:
        if job.loop is not None and len(lost) < 2:
            lost.append(job)
            raise SandboxFault("the zygote died")

    fake_sandbox.before = before
    body = {"source": FUNCTION, "steps": 15, "ranked": True, "pseudonym": "Ada"}
    id = student.post("/api/v1/courses/backprop/training/runs", json=body).json()["id"]
    if settings.dispatch == "procrastinate":  # the sweep makes the job anew
        with server.services.database.writing() as session:
            session.connection().exec_driver_sql("DELETE FROM procrastinate_jobs")

    with workers(settings, fake_sandbox, timing, trainer):
        assert eventually(lambda: student.get(f"/api/v1/training/runs/{id}").json()["status"] == "done")

    run = student.get(f"/api/v1/training/runs/{id}").json()
    assert (run["step"], run["checked"], run["message"], len(lost)) == (15, "yes", None, 2)
