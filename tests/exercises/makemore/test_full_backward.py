"""The first exercise is the lecture's, its canonical instance and its checkpoints too."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from exercises.instance import Instance
from exercises.registry import find
from tests.exercises.test_exercise import answers

FULL = find("makemore/full-backward")
PARAMETERS = ("C", "W1", "b1", "W2", "b2", "bngain", "bnbias")
LECTURE_TARGETS = "8 14 15 22 0 19 9 14 5 1 20 3 8 14 12 0 11 0 26 9 25 0 1 1 7 18 9 3 5 9 0 18"


def test_the_canonical_instance_is_the_lectures() -> None:
    state = Instance.canonical(FULL).tensors()

    assert " ".join(str(int(target)) for target in state["Yb"]) == LECTURE_TARGETS
    assert sum(state[name].numel() for name in PARAMETERS) == 4137
    assert state["loss"].item() == pytest.approx(3.3, abs=0.2)
    assert F.cross_entropy(state["logits"], state["Yb"]).item() == pytest.approx(state["loss"].item())


def test_the_checkpoints_are_the_lectures_26() -> None:
    starts = [checkpoint.start for checkpoint in FULL.checkpoints]

    assert " ".join(checkpoint.name for checkpoint in FULL.checkpoints) == (
        "logprobs probs counts_sum_inv counts_sum counts norm_logits logit_maxes logits h W2 b2 hpreact "
        "bngain bnbias bnraw bnvar_inv bnvar bndiff2 bndiff bnmeani hprebn embcat W1 b1 emb C"
    )
    assert starts == sorted(starts, key=lambda start: start or 0)
    assert (starts[0], starts[-1]) == (13 * 60 + 1, 1 * 3600 + 21 * 60 + 59)


def test_the_solution_is_exact_26_times() -> None:
    instance = Instance.canonical(FULL)
    gradients = FULL.played(instance.tensors()).gradients()

    solved = answers(instance)

    assert len(solved) == 26
    assert [name for name, answer in solved.items() if not torch.equal(answer, gradients[name])] == []
