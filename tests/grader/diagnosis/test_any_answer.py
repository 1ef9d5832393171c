"""Every input is a verdict: answers that no student means, drawn by the fuzzer (`make fuzz` draws for a minute)."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from exercises.instance import Instance
from exercises.registry import exercises, find
from exercises.tape import Step
from grader.compare import Origin
from grader.grade import compare_all
from grader.reference.backward import back
from tests.fuzz_answers import Draw

CANONICAL = [Instance.canonical(exercise) for exercise in exercises().values()]
# The seeds of the dearest answers were found with these.
LECTURES = [Instance.canonical(find(f"makemore/{name}")) for name in ("full-backward", "cross-entropy", "batch-norm")]
BACK_STEPS_MAX = 1200  # by a diagnosis; a step costs some 30 us


@pytest.mark.parametrize("seed", range(120))
def test_any_answer_gets_a_verdict(seed: int) -> None:
    """A hypothesis that failed would be in the log, and the conftest of this folder looks there."""
    instance = CANONICAL[seed % len(CANONICAL)]
    answers = Draw(instance, seed).answers()

    rows = compare_all(instance, answers, stopped=seed % 7 == 0)

    assert [row.name for row in rows] == [each.name for each in instance.exercise.checkpoints]
    for row in rows:
        assert row.maxdiff is None or not math.isnan(row.maxdiff) or not row.passed
        assert bool(row.diagnosis) <= (row.origin is Origin.OWN)
        assert all(
            hint and "nan" not in hint.split() and "{" not in hint for each in row.diagnosis for hint in each.hints
        )


@pytest.mark.parametrize("seed", [3, 203, 260, 797, 1319, 1433])
def test_the_dearest_answers_go_back_through_few_steps(monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    steps = []

    def counted(step: Step, upstream: Tensor) -> dict[str, Tensor]:
        steps.append(step.name)
        return back(step, upstream)

    for module in ("case", "hypotheses.shapes", "hypotheses.confusions", "hypotheses.chain_rule"):
        monkeypatch.setattr(f"grader.diagnosis.{module}.back", counted)
    instance = LECTURES[seed % 3]
    compare_all(instance, Draw(instance, seed).answers())
    assert 0 < len(steps) <= BACK_STEPS_MAX, len(steps)


def test_the_fuzzer_draws_every_kind() -> None:
    tensors = [
        answer.tensor
        for seed in range(60)
        for answer in Draw(CANONICAL[seed % len(CANONICAL)], seed).answers().values()
        if answer.tensor is not None
    ]
    floats = [each for each in tensors if each.is_floating_point() and each.numel()]
    assert any(bool(each.isnan().any()) for each in floats)
    assert any(bool(each.isinf().any()) for each in floats)
    assert any(float(each.abs().max()) > 1e38 for each in floats)
    assert any(0 < float(each.abs().max()) < 1e-38 for each in floats)
    assert any(each.dtype is not torch.float32 for each in tensors)
    assert any(not each.numel() for each in tensors)
