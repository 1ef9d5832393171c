"""The parts of a formula add up to the right gradient, and no slip is right."""

from __future__ import annotations

import pytest
import torch

from exercises.exercise import Exercise
from exercises.formula import evaluated
from exercises.instance import Instance, Kind
from exercises.registry import exercises

every_exercise_with_parts = pytest.mark.parametrize(
    "exercise", [each for each in exercises().values() if each.parts], ids=lambda exercise: exercise.slug
)


def test_the_exercises_in_one_expression_have_parts() -> None:
    assert {slug: list(each.parts) for slug, each in exercises().items() if each.parts} == {
        "makemore/cross-entropy": ["logits"],
        "makemore/batch-norm": ["hprebn"],
    }


@every_exercise_with_parts
@pytest.mark.parametrize("seed", [1, 2])
def test_the_parts_add_up_to_the_gradient(exercise: Exercise, seed: int) -> None:
    state = Instance.draw(exercise, seed, Kind.HIDDEN).tensors()
    right = exercise.played(state).gradients()
    for name, parts in exercise.parts.items():
        total = torch.stack([evaluated(part.code, state, right[name].shape) for part in parts]).sum(0)
        assert torch.allclose(total, right[name])


@every_exercise_with_parts
def test_no_slip_is_its_part_or_another_slip_of_it(exercise: Exercise) -> None:
    """Two slips with the same numbers must say the same."""
    state = Instance.draw(exercise, 1, Kind.HIDDEN).tensors()
    for name, parts in exercise.parts.items():
        shape = state[name].shape
        for part in parts:
            value = evaluated(part.code, state, shape)
            slips = [(slip.says, evaluated(slip.code, state, shape)) for slip in part.slips]
            for number, (says, slip) in enumerate(slips):
                assert (slip - value).abs().max() > 1e-3 * value.abs().max(), says
                same = {other for other, tensor in slips[:number] if torch.allclose(tensor, slip)}
                assert same <= {says}, (says, same)


@every_exercise_with_parts
def test_every_sentence_of_a_part_is_one(exercise: Exercise) -> None:
    for parts in exercise.parts.values():
        for part in parts:
            assert part.name.startswith("the ")
            for sentence in (part.about, part.turned):
                assert sentence.endswith(".")
                assert sentence[0].isupper()
            assert not any(slip.says.endswith(".") for slip in part.slips)
