"""`dojo train`, typed by a student at a fake server."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import httpx2 as httpx
import pytest

from tests.client.conftest import Student
from tests.client.fake_training import BACKWARD, NAMES, PARAMETERS, FakeTraining
from tests.client.notebooks import notebook


@pytest.fixture
def training(student: Student) -> FakeTraining:
    """The training of a student who has joined and has a file."""
    student.join()
    Path("backward.py").write_text(BACKWARD, encoding="utf-8")
    training = FakeTraining()
    student.fake.before = training
    return training


def test_a_run_is_followed_to_its_end(student: Student, training: FakeTraining) -> None:
    code, out, err = student.type("train", "backward.py")

    assert code == 0
    assert training.sources == [
        {"filename": "backward.py", "source": BACKWARD, "schedule": None, "ranked": False, "pseudonym": None}
    ]
    assert "step 5,000 of 20,000 | loss 2.2091 | 30 s left" in err.splitlines()
    assert "Loss: 2.0705 on the training split, 2.1099 on the dev split." in out
    assert "(the same)" in out and "⠒" in out
    assert ", ".join(NAMES) in out


def test_steps_batch_and_schedule_go_along(student: Student, training: FakeTraining) -> None:
    words = ("--steps", "5000", "--batch", "64", "--lr", "0.2, 0.05@4000", "--rank", "Swole Doge")
    code, out, _ = student.type("train", "backward.py", *words)

    assert code == 0
    asked = training.sources[0]
    assert (asked["steps"], asked["batch"]) == (5000, 64)
    assert asked["schedule"] == [[0, 0.2], [4000, 0.05]]
    assert (asked["ranked"], asked["pseudonym"]) == (True, "Swole Doge")
    assert "64 examples a step, learning rate 0.2,0.05@4000" in out


@pytest.mark.parametrize("rate", ["fast", "0.1@5", "0.1,0.01", "0.1,0.01@x", "0.1,0.05@9,0.01@9"])
def test_a_rate_that_cannot_be_read_is_wrong_usage(student: Student, training: FakeTraining, rate: str) -> None:
    code, _, err = student.type("train", "backward.py", "--lr", rate)

    assert code == 2
    assert "Type it like this: 0.1,0.01@10000" in err
    assert not training.sources


@pytest.mark.parametrize(("ends", "checked"), [("failed", "no"), ("forged", "failed"), ("done", "failed")])
def test_what_is_not_right_ends_with_1(student: Student, training: FakeTraining, ends: str, checked: str) -> None:
    training.ends, training.checked, training.is_wrong = ends, checked, True

    code, out, _ = student.type("train", "backward.py")

    assert code == 1
    assert "dojo submit FILE" in out if ends != "forged" else "dojo train FILE" in out
    assert "(the same)" not in out


def test_a_broken_stream_is_asked_again(student: Student, training: FakeTraining) -> None:
    training.breaks_after = 1

    code, out, _ = student.type("train", "backward.py")

    assert code == 0
    assert "step 20,000 of 20,000" in out


@pytest.mark.parametrize(("failures", "expected"), [(3, 0), (1000, 3)])
def test_a_server_that_is_away_is_waited_for(
    student: Student, training: FakeTraining, failures: int, expected: int
) -> None:
    left = failures

    def away(request: httpx.Request) -> httpx.Response | None:
        nonlocal left
        if request.url.path.startswith("/api/v1/training/runs/1") and left:
            left -= 1
            raise httpx.ConnectError("refused")
        return training(request)

    student.fake.before = away

    code, _, err = student.type("train", "backward.py")

    assert code == expected
    assert ("Later: dojo train --follow" in err) == (expected == 3)


def test_ctrl_c_leaves_the_run_and_says_how_to_come_back(student: Student, training: FakeTraining) -> None:
    training.interrupts_after = 2
    code, _, err = student.type("train", "backward.py")
    assert code == 130
    assert "dojo train --follow" in err and "dojo train --cancel" in err
    assert training.runs[0]["status"] == "running"

    training.interrupts_after = None
    code, out, _ = student.type("train", "--follow")
    assert code == 0
    assert "step 20,000 of 20,000" in out


@pytest.mark.parametrize(("typed", "status"), [("y\n", "cancelled"), ("\n", "running")])
def test_ctrl_c_asks_whether_to_cancel(
    student: Student, training: FakeTraining, monkeypatch: pytest.MonkeyPatch, typed: str, status: str
) -> None:
    class Terminal:
        def isatty(self) -> bool:
            return True

        def readline(self) -> str:
            return typed

    training.interrupts_after = 1
    monkeypatch.setattr(sys, "stdin", Terminal())

    assert student.type("train", "backward.py")[0] == 130
    assert training.runs[0]["status"] == status


def test_one_cancels_lists_and_looks_at_the_ranking(student: Student, training: FakeTraining) -> None:
    assert student.type("train", "--history")[:2] == (0, "No run yet. Start one: dojo train FILE\n")
    assert student.type("train", "--cancel")[0] == 2
    assert student.type("train", "--follow")[0] == 2
    training.interrupts_after = 1
    student.type("train", "backward.py")

    code, _, err = student.type("train", "backward.py")
    assert code == 2
    assert "dojo train --cancel" in err
    assert "Training run 1 ends" in student.type("train", "--cancel")[1]
    assert "1  | cancelled | 0 of 20,000 | 3.3000 | 32" in student.type("train", "--history")[1]

    assert "Nobody is in the ranking yet" in student.type("train", "--ranking")[1]
    row = {"dev_loss": 2.1099, "steps": 20_000, "batch": 32, "schedule": [[0, 0.1], [10_000, 0.01]]}
    training.ranking = [{"place": 1, "pseudonym": "Doge", "mine": True, **row}]
    assert "1     | Doge *    | 2.1099   | 20,000 | 32    | 0.1,0.01@10000" in student.type("train", "--ranking")[1]


def test_json_is_the_servers_own(student: Student, training: FakeTraining) -> None:
    code, out, err = student.type("train", "backward.py", "--json")

    assert (code, err) == (0, "")
    assert json.loads(out) == training.runs[0]
    assert json.loads(student.type("train", "--history", "--json")[1]) == {"runs": training.runs}
    assert json.loads(student.type("train", "--ranking", "--json")[1]) == {"places": []}


@pytest.mark.parametrize("words", [("--follow", "backward.py"), ("--history", "--steps", "5")])
def test_what_does_not_go_together_is_said(student: Student, training: FakeTraining, words: tuple[str, ...]) -> None:
    code, _, err = student.type("train", *words)

    assert code == 2
    assert f"Type: dojo train {words[0]}" in err


def test_of_a_notebook_the_loop_stays_behind(student: Student, training: FakeTraining) -> None:
    gradients = "\n".join(f"    d{name} = torch.zeros_like({name})" for name in PARAMETERS)
    loop = f"with torch.no_grad():\n  for i in range(10):\n    Xb = Xtr[0]\n{gradients}\n    C.data -= 0.1 * dC"
    Path("mine.ipynb").write_text(json.dumps(notebook("import torch", loop)), encoding="utf-8")

    code, _, err = student.type("train", "mine.ipynb")

    assert code == 0
    assert "7 answers taken from 1 of 2 code cells." in err
    source = training.sources[0]["source"]
    assert "for i in" not in source and "Xtr" not in source and "C.data" not in source
    assert source.count("torch.zeros_like") == 7


def test_the_file_of_a_folder_is_named(student: Student, training: FakeTraining) -> None:
    assert "Training with backward.py.\n" in student.type("train")[2]
    assert "Training with" not in student.type("train", "backward.py")[2]
