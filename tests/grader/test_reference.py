"""The reference is PyTorch's own gradient of the frozen state, and of no other."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from exercises.catalog import CATALOG
from exercises.exercise import Exercise
from exercises.instance import freeze
from grader.reference import StaleInstance, reference

FULL = CATALOG["makemore/full-backward"]


def test_the_gradients_are_those_of_a_plain_backward_pass() -> None:
    state = FULL.canonical().tensors()
    leaves = {name: state[name].requires_grad_() for name in ("C", "W1", "b1", "W2", "b2", "bngain", "bnbias")}
    hprebn = leaves["C"][state["Xb"]].view(32, -1) @ leaves["W1"] + leaves["b1"]
    raw = (hprebn - hprebn.mean(0)) / (hprebn.var(0, unbiased=True) + 1e-5).sqrt()
    logits = torch.tanh(leaves["bngain"] * raw + leaves["bnbias"]) @ leaves["W2"] + leaves["b2"]
    torch.nn.functional.cross_entropy(logits, state["Yb"]).backward()
    known = reference(FULL.canonical()).gradients
    for name, leaf in leaves.items():
        assert leaf.grad is not None
        assert torch.allclose(known[name], leaf.grad, atol=1e-6), name


def test_it_is_made_once_for_an_instance() -> None:
    assert reference(FULL.canonical()) is reference(FULL.canonical())


def test_it_names_the_gradients_that_are_zero_in_mathematics() -> None:
    assert reference(FULL.canonical()).vanishing >= {"logit_maxes", "b1"}


@pytest.mark.parametrize("exercise", CATALOG.values(), ids=lambda exercise: exercise.slug)
def test_a_state_of_another_environment_is_refused(exercise: Exercise) -> None:
    instance = exercise.canonical()
    state = instance.tensors()
    name = next(iter(exercise.lines))
    state[name].view(-1)[0] = torch.nextafter(state[name].view(-1)[0], torch.tensor(1e9))
    with pytest.raises(StaleInstance, match=f"{name} comes out different here"):
        reference(dataclasses.replace(instance, state=freeze(state)))
