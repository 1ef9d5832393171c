"""Training runs as the server tells them: what has another form is refused."""

from __future__ import annotations

from typing import Any

import pytest

from dojo.api.training import TrainingPlan, read_ranked_run, read_training_run, schedule_text
from dojo.errors import NotADojo
from tests.client.fake import FakeDojo
from tests.client.fake_training import FakeTraining

RUN = {"id": 1, "status": "running", "steps": 10, "curve": [[0, 3.3]], "schedule": [[0, 0.1]]}
RANKED = {"place": 1, "pseudonym": "Doge", "dev_loss": 2.1, "steps": 1, "batch": 1, "schedule": []}


@pytest.mark.parametrize(
    "changed",
    [
        {"id": "1"},
        {"status": None},
        {"steps": -1},
        {"curve": {}},
        {"curve": [[0]]},
        {"curve": [[0, "3"]]},
        {"curve": [[-1, 3.0]]},
        {"curve": [[True, 3.0]]},
        {"curve": [[0, True]]},
        {"curve": [[0, 1.0]] * 100_001},
        {"samples": "mona"},
        {"samples": [1]},
        {"message": 5},
        {"final": {"train_loss": "low"}},
    ],
)
def test_a_run_of_another_form_is_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(NotADojo):
        read_training_run(RUN | changed)


@pytest.mark.parametrize("changed", [{"dev_loss": None}, {"pseudonym": 3}, {"place": "first"}])
def test_a_place_of_another_form_is_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(NotADojo):
        read_ranked_run(RANKED | changed)


def test_what_is_absent_has_its_default() -> None:
    run = read_training_run({"id": 1, "status": "queued"})

    assert (run.step, run.curve, run.losses, run.samples, run.message, run.checked) == (0, [], None, (), "", "no")
    assert run.is_active and not run.is_right


def test_names_are_a_line_each_and_a_message_has_some() -> None:
    run = read_training_run(RUN | {"samples": ["mona\nlisa"], "message": "Line 1.\nLine 2." + 9999 * "."})

    assert run.samples == ("mona lisa",)
    assert run.message.startswith("Line 1.\nLine 2.") and len(run.message) == 4000


def test_a_plan_asks_only_for_what_was_said() -> None:
    body = TrainingPlan(steps=5).body("backward.py", "x")

    assert body == {
        "filename": "backward.py",
        "source": "x",
        "steps": 5,
        "schedule": None,
        "ranked": False,
        "pseudonym": None,
    }
    assert schedule_text(((0, 0.1), (5, 0.01))) == "0.1,0.01@5"


@pytest.mark.parametrize("breaks_after", [None, 0, 2])
def test_a_run_is_followed_to_its_end_whatever_the_stream_does(fake: FakeDojo, breaks_after: int | None) -> None:
    fake.before = FakeTraining(breaks_after=breaks_after)
    server = fake.connection.server
    begun = server.start_training("autumn", "backward.py", "x", TrainingPlan())

    states = list(server.follow_training(begun))

    assert states[-1].status == "done"
    assert [run.step for run in states] == sorted(run.step for run in states)
    assert list(server.follow_training(states[-1])) == []
