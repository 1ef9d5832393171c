"""The reference is PyTorch's own gradient of the frozen state, and of no other."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from exercises.exercise import Exercise
from exercises.instance import Instance, Kind, freeze
from exercises.registry import exercises, find
from grader.caches.budget import HIDDEN_REFERENCES_BYTES, STUDENT_REFERENCES_BYTES
from grader.reference.dissection import _dissections
from grader.reference.gradients import (
    StaleInstance,
    _of_student,
    _weigh,
    divide_room,
    reference,
    right_terms,
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
    """A third of 300 students works on a second exercise; all processes of a server have this room together."""
    assert 400 * _weigh(reference(Instance.canonical(FULL))) < STUDENT_REFERENCES_BYTES
    assert 128 * _weigh(reference(Instance.canonical(FULL))) < HIDDEN_REFERENCES_BYTES


def test_a_process_of_several_keeps_its_part_of_the_references() -> None:
    instances = [Instance.draw(FULL, seed, Kind.STUDENT) for seed in (2, 3)]
    hidden = Instance.draw(FULL, 2, Kind.HIDDEN)
    of_hidden = reference(hidden)
    first, _ = map(reference, instances)
    for instance in instances:
        right_terms(instance)

    try:
        divide_room(STUDENT_REFERENCES_BYTES // _weigh(first))
        known = [[instance in cache for instance in instances] for cache in (_of_student, _dissections)]
        again = reference(hidden)
    finally:
        divide_room(1)

    assert known == [[False, True], [False, True]]
    assert again is of_hidden  # everybody is graded on it


def test_a_reference_weighs_what_it_keeps() -> None:
    made = reference(Instance.canonical(FULL))
    gradients = sum(gradient.nbytes for gradient in made.gradients.values())

    assert _weigh(made) >= gradients + len(made.instance.state)


def test_the_terms_of_a_step_are_worked_out_once() -> None:
    instance = Instance.canonical(FULL)
    terms, steps = right_terms(instance), reference(instance).cut.steps
    name = next(step.name for step in steps if step.reads)
    first = terms.of(steps[:3])[name]

    assert terms.of(steps)[name] is first


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
