"""What is kept of a file of tensors, and how much of a person."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import safetensors.torch
import torch
from sqlmodel import select
from starlette.testclient import TestClient

from server.settings import Settings
from server.submissions.quota import LARGE_BYTES
from server.tables import SubmissionRow
from tests.support.application import create_app
from tests.support.servers import IMPATIENT, FakeSandbox, RunningServer, Student, is_problem

pytestmark = pytest.mark.parametrize("url", ["sqlite"], indirect=True)

LARGE = {"dlogits": torch.zeros(2 * LARGE_BYTES // 4)}  # of a wrong shape: graded, and kept


@pytest.fixture
def small(server: RunningServer, settings: Settings, fake_sandbox: FakeSandbox) -> Iterator[TestClient]:
    """A second server on the same database, which keeps 1 MiB of a student."""
    limited = settings.model_copy(update={"quota_mib": 1})
    with TestClient(
        create_app(limited, fake_sandbox.code_runner(), IMPATIENT), raise_server_exceptions=False
    ) as client:
        yield client


def bodies(server: RunningServer) -> list[bytes]:
    with server.services.database.reading() as session:
        return list(session.exec(select(SubmissionRow.body).order_by(SubmissionRow.id)))  # type: ignore[arg-type]


def test_only_what_was_asked_for_is_kept(server: RunningServer, student: Student) -> None:
    answer = {"dlogits": torch.full((32, 27), 0.5), "context.dh": torch.ones(32, 64), "probs": torch.ones(32, 27)}
    asked = student.submit_tensors(answer)
    more = student.submit_tensors(answer | {"ballast": torch.zeros(500_000), "dX": torch.ones(3)})

    whole, kept = bodies(server)
    assert len(kept) < 20_000 < len(safetensors.torch.save(answer | {"ballast": torch.zeros(500_000)}))
    read = safetensors.torch.load(kept)
    assert read.keys() == answer.keys()
    assert all(torch.equal(read[name], value) for name, value in answer.items())
    assert whole == safetensors.torch.save(answer)
    assert more.json()["grade"]["checkpoints"] == asked.json()["grade"]["checkpoints"]


def test_the_same_file_sent_twice_is_one_submission_whatever_of_it_is_kept(
    server: RunningServer, student: Student
) -> None:
    content = {"dlogits": torch.ones(32, 27), "ballast": torch.zeros(1000)}
    headers = {"Idempotency-Key": "one"}

    first, again = (student.submit_tensors(content, headers=headers) for _ in range(2))

    assert first.json()["id"] == again.json()["id"]
    assert len(bodies(server)) == 1


def test_large_files_have_a_quota_and_small_ones_go_on(server: RunningServer, small: TestClient) -> None:
    student, other = server.join("Ada"), server.join("Ben")
    student.client = other.client = small
    while (answer := student.submit_tensors(LARGE)).status_code == 201:
        assert len(bodies(server)) < 12

    assert is_problem(answer, 413)
    assert "1 are kept of a person" in answer.json()["detail"]
    assert student.submit_tensors({"dlogits": torch.ones(32, 27)}).status_code == 201
    assert other.submit_tensors(LARGE).status_code == 201
    assert sum(map(len, bodies(server)[:-2])) <= 1024 * 1024
