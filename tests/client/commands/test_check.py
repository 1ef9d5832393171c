"""The command ``check``, which needs no server."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import safetensors.torch
import torch

from tests.client.commands.conftest import RIGHT
from tests.client.conftest import Student
from tests.client.fake import state
from tests.client.notebooks import notebook


def test_check_needs_no_server(pulled: Student) -> None:
    Path("solution.py").write_text(
        "print('hello')\ndcounts = counts.sum(1)\ndlogits = (counts * float('nan')).double()\n"
    )
    before = len(pulled.fake.requests)
    code, out, _ = pulled.type("check", "solution.py")
    assert code == 1
    assert out.splitlines()[:4] == [
        "Your code printed:",
        "hello",
        "counts          | shape: [2]          | float32  | shape [2] does not fit [2, 3]",
        "logits          | shape: [2, 3]       | float64  | holds NaN or infinite numbers",
    ]
    assert len(pulled.fake.requests) == before


@pytest.mark.parametrize(
    ("code", "lines"),
    [
        (
            "dcounts = counts * 1\n",
            [
                "counts          | shape: [2, 3]       | float32  | fits",
                "· 1 is not there yet: logits",
                "1 of 2 fit. Whether they are right, the server says: dojo submit solution.py",
            ],
        ),
        (
            "dcounts = 3\ndlogits = None\n",
            [
                "counts          | shape: -            | -        | dcounts is an int, not a tensor. "
                "A gradient is a torch.Tensor.",
                "· 1 is not there yet: logits",
                "0 of 2 fit. Whether they are right, the server says: dojo submit solution.py",
            ],
        ),
        ("", ["· 2 are not there yet: counts, logits", "Next: write dcounts, and check again."]),
    ],
)
def test_steps_without_an_answer_share_a_line(pulled: Student, code: str, lines: list[str]) -> None:
    Path("solution.py").write_text(code)

    assert pulled.type("check", "solution.py")[1].splitlines() == lines


@pytest.mark.parametrize(
    ("code", "good"),
    [
        (RIGHT, True),
        ("def backward(state):\n    return {'counts': state['counts'], 'dlogits': state['logits']}\n", True),
        ("dcounts = counts.sum(0)\ndlogits = logits\n", True),
        ("dcounts = counts\ndlogits = 3.0\n", False),
        ("dcounts = counts * 1\ncheck = cmp\ncheck(Yb, logits * 2, s=' dlogits')\n", True),
        ("dcounts = counts\ncmp('logits', None)\n", False),
        ("dcounts = counts\ndlogits = logits\nraise SystemExit(0)\n", False),
        ("dcounts = (\n", False),
        ("dcounts = counts\ndlogits = Yb\n", False),
    ],
)
def test_check_looks_at_names_shapes_and_dtypes(pulled: Student, code: str, good: bool) -> None:
    Path("solution.py").write_text(code)
    assert pulled.type("check", "solution.py")[0] == (0 if good else 1)
    _, out, _ = pulled.type("check", "solution.py", "--json")
    assert json.loads(out)["good"] is good


def test_check_explains_what_it_took_of_a_notebook(pulled: Student) -> None:
    cells = notebook("import matplotlib", "dcounts = counts * 2\nprint 1", "\ndlogits = logits.nothing")
    Path("mine.ipynb").write_text(json.dumps(cells))
    code, out, err = pulled.type("check", "mine.ipynb")
    assert code == 1
    assert "2 answers taken from 2 of 3 code cells.\nCell 2 is not finished: line 2 left out" in err
    assert "Line 5 of what was taken is line 2 of cell 3." in out
    _, out, _ = pulled.type("check", "mine.ipynb", "--json")
    assert [each["cell"] for each in json.loads(out)["notebook"]["taken"]] == [2, 3]


def test_check_looks_at_tensors_too(pulled: Student) -> None:
    Path("a.safetensors").write_bytes(safetensors.torch.save({"dcounts": torch.ones(2, 3), "logits": torch.ones(2, 3)}))
    assert pulled.type("check", "a.safetensors")[0] == 0


def test_checked_code_does_not_change_the_state(pulled: Student) -> None:
    Path("solution.py").write_text(RIGHT + "counts.zero_()\n")
    pulled.type("check", "solution.py")
    assert torch.equal(safetensors.torch.load_file("state.safetensors")["counts"], state()["counts"])


def test_code_that_stopped_is_corrected_before_it_is_submitted(pulled: Student) -> None:
    Path("solution.py").write_text("dcounts = (\n")

    out = pulled.type("check", "solution.py")[1]

    assert out.endswith("SyntaxError: '(' was never closed\nCorrect that, and check again: dojo check solution.py\n")
