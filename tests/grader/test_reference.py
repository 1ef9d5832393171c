"""The reference is PyTorch's own gradient of the frozen state, and of no other."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from exercises.exercise import Exercise
from exercises.instance import Instance, freeze
from exercises.registry import exercises, find
from exercises.tape import CutTape
from grader.reference import (
    HIDDEN_BYTES_MAX,
    STUDENT_BYTES_MAX,
    StaleInstance,
    _weigh,
    back_all,
    reference,
)

FULL = find("makemore/full-backward")


def test_the_gradients_are_those_of_a_plain_backward_pass() -> None:
    state = Instance.canonical(FULL).tensors()
    leaves = {name: state[name].requires_grad_() for name in ("C", "W1", "b1", "W2", "b2", "bngain", "bnbias")}
    hprebn = leaves["C"][state["Xb"]].view(32, -1) @ leaves["W1"] + leaves["b1"]
    raw = (hprebn - hprebn.mean(0)) / (hprebn.var(0, unbiased=True) + 1e-5).sqrt()
    logits = torch.tanh(leaves["bngain"] * raw + leaves["bnbias"]) @ leaves["W2"] + leaves["b2"]
    torch.nn.functional.cross_entropy(logits, state["Yb"]).backward()
    known = reference(Instance.canonical(FULL)).gradients
    for name, leaf in leaves.items():
        assert leaf.grad is not None
        assert torch.allclose(known[name], leaf.grad, atol=1e-6), name


def test_it_is_made_once_for_an_instance() -> None:
    known = {slug: reference(Instance.canonical(exercise)) for slug, exercise in exercises().items()}

    assert all(reference(Instance.canonical(exercise)) is known[slug] for slug, exercise in exercises().items())


def test_there_is_room_for_the_students_of_an_evening() -> None:
    """A third of 300 students works on a second exercise, and some of the room is for what a wrong answer adds."""
    assert 400 * _weigh(reference(Instance.canonical(FULL))) < STUDENT_BYTES_MAX
    assert 128 * _weigh(reference(Instance.canonical(FULL))) < HIDDEN_BYTES_MAX


def test_the_state_is_in_the_order_of_its_names() -> None:
    """Safetensors gives another order in each process, and the first tensor that fits is named to the student."""
    names = list(reference(Instance.canonical(FULL)).state)

    assert names == sorted(names)


@pytest.mark.parametrize(
    ("slug", "vanishing"),
    [
        ("makemore/full-backward", {"logit_maxes", "b1"}),
        ("makemore/cross-entropy", {"logit_maxes"}),
        ("makemore/batch-norm", set()),
        ("makemore/train", {"b1"}),
    ],
)
def test_it_names_the_gradients_that_are_zero_in_mathematics(slug: str, vanishing: set[str]) -> None:
    assert reference(Instance.canonical(exercises()[slug])).vanishing == vanishing


@pytest.mark.parametrize("exercise", exercises().values(), ids=lambda exercise: exercise.slug)
def test_a_state_of_another_environment_is_refused(exercise: Exercise) -> None:
    instance = Instance.canonical(exercise)
    state = instance.tensors()
    name = next(iter(exercise.lines))
    state[name].view(-1)[0] = torch.nextafter(state[name].view(-1)[0], torch.tensor(1e9))
    with pytest.raises(StaleInstance, match=f"{name} comes out different here"):
        reference(dataclasses.replace(instance, state=freeze(state)))


def test_each_consumer_contributes_a_term_that_follows_from_the_upstream_that_was_fed_in() -> None:
    x = torch.tensor([1.0, 2.0, 3.0])
    tape = CutTape({"x": x})
    tape.y = tape.x * tape.x
    tape.z = tape.x + tape.y
    ones = torch.ones(3)
    terms = back_all(tape.steps, {"y": 10 * ones, "z": ones})
    assert terms["z"]["x"].equal(ones)
    assert terms["y"]["x"].equal(10 * 2 * x)


@pytest.mark.parametrize("exercise", exercises().values(), ids=lambda exercise: exercise.slug)
def test_with_perfect_upstreams_the_cut_play_equals_the_plain_one_bit_for_bit(exercise: Exercise) -> None:
    state = Instance.canonical(exercise).tensors()
    gradients = exercise.played(state).gradients()
    steps = exercise.cut(state).steps
    found: dict[str, torch.Tensor] = {}
    # The last consumer first: the order in which autograd's engine adds them up.
    terms = back_all(steps, gradients | {"loss": torch.ones(())})
    for step in reversed(steps):
        for name, term in terms[step.name].items():
            found[name] = found[name] + term if name in found else term
    assert found
    for name, total in found.items():
        assert torch.equal(total, gradients[name]), name
