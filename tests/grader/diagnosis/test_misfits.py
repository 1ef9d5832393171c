"""Code that stops at shapes that do not fit is told which shape belongs there."""

from __future__ import annotations

import pytest

from exercises.instance import Instance
from exercises.registry import find
from grader.diagnosis.misfits import shape_hint
from grader.grade import grade_code
from grader.sandbox import Run, RunStatus, Sandbox

FULL = find("makemore/full-backward")
SHAPES = {name: list(tensor.shape) for name, tensor in Instance.canonical(FULL).tensors().items()}
MULTIPLIED = "RuntimeError: mat1 and mat2 shapes cannot be multiplied (32x27 and 64x27)"


def stopped(line: str, error: str, status: RunStatus = RunStatus.ERROR) -> Run:
    message = f'Traceback (most recent call last):\n  File "a.py", line 5, in <module>\n    {line}\n{error}\n'
    return Run(status, message, "", {}, (), 0.1)


def test_a_product_that_does_not_fit_is_explained_by_the_grader() -> None:
    source = "dlogits = torch.ones(32, 27)\ndh = dlogits @ W2\n"

    with Sandbox() as sandbox:
        grade = grade_code(Instance.canonical(FULL), source, "solution.py", sandbox)

    assert grade.run is not None
    assert grade.run.message.splitlines()[-2:] == [
        MULTIPLIED,
        "dh must have the shape of h: [32, 64]. dlogits is [32, 27] and W2 is [64, 27]. For a product the 27 and the "
        "64 would have to be equal. Write the shapes under your line: which factor must be turned, and what must be "
        "summed? The lecture derives it at 41:45: https://www.youtube.com/watch?v=q8SA3rM6ckI&t=2505s",
    ]


@pytest.mark.parametrize(
    ("line", "error", "begins"),
    [
        ("dW2 += h @ dlogits", MULTIPLIED, "dW2 must have the shape of W2: [64, 27]. h is [32, 27] and dlogits is"),
        ("dh = (dlogits @ W2) @ W2.T", MULTIPLIED, "dh must have the shape of h: [32, 64]. The left factor is [32"),
        ("dh = dlogits @ (W2", MULTIPLIED, "dh must have the shape of h: [32, 64]. The left factor is [32, 27] and"),
        (
            "dbnraw = bngain * dh.T",
            "RuntimeError: The size of tensor a (64) must match the size of tensor b (32) at non-singleton dimension 1",
            "dbnraw must have the shape of bnraw: [32, 64]. Write the shapes",
        ),
        (
            "demb = dembcat.view(32, 4, 10)",
            "RuntimeError: shape '[32, 4, 10]' is invalid for input of size 960",
            "demb must have the shape of emb: [32, 3, 10]. Write the shapes",
        ),
        ("dlogprobs[range(n), Yb] = torch.ones(3)", "RuntimeError: shape mismatch: value", "dlogprobs must have"),
    ],
)
def test_each_kind_of_misfit_names_the_shape(line: str, error: str, begins: str) -> None:
    hint = shape_hint(FULL, SHAPES, stopped(line, error))

    assert hint is not None
    assert hint.startswith(begins)


@pytest.mark.parametrize(
    "run",
    [
        stopped("dh = dlogits @ W2", "NameError: name 'dlogits' is not defined"),
        stopped("dh = dlogits @ W2", MULTIPLIED, RunStatus.TIME_LIMIT),
        stopped("x = dlogits @ W2", MULTIPLIED),
        stopped("dnonsense = dlogits @ W2", MULTIPLIED),
        stopped("dh == dlogits @ W2", MULTIPLIED),
        stopped("dh = dlogits @ W2" + " " * 300 + "#", MULTIPLIED),
        Run(RunStatus.ERROR, MULTIPLIED, "", {}, (), 0.1),
    ],
)
def test_nothing_is_said_of_other_runs(run: Run) -> None:
    assert shape_hint(FULL, SHAPES, run) is None


def test_a_line_that_cannot_be_parsed_does_no_harm() -> None:
    hint = shape_hint(FULL, SHAPES, stopped("dh = " + "(" * 200, MULTIPLIED))

    assert hint is not None
    assert "The left factor is [32, 27]" in hint
