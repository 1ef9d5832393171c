"""Every exercise of every installed pack: its solution is right, its text is its forward pass."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.nn.functional as F

from exercises.exercise import Exercise
from exercises.instance import Instance, Kind
from exercises.registry import exercises, find
from exercises.tape import variables

FULL = find("makemore/full-backward")

every_exercise = pytest.mark.parametrize("exercise", exercises().values(), ids=lambda exercise: exercise.slug)


def answers(instance: Instance) -> dict[str, torch.Tensor]:
    """Return checkpoint → what the exercise's own solution computes on an instance."""
    namespace: dict[str, Any] = {"torch": torch, "F": F} | variables(instance.tensors())
    exec(instance.exercise.solution, namespace)  # the code of an installed pack
    return {checkpoint.name: namespace[checkpoint.answer] for checkpoint in instance.exercise.checkpoints}


@every_exercise
@pytest.mark.parametrize("seed", [0, 1, 2**63 - 1])
def test_the_solution_is_right_on_drawn_instances(exercise: Exercise, seed: int) -> None:
    instance = Instance.draw(exercise, seed, Kind.STUDENT)
    gradients = exercise.played(instance.tensors()).gradients()

    solved = answers(instance)

    assert {name: answer.shape for name, answer in solved.items()} == {name: gradients[name].shape for name in solved}
    assert [name for name, answer in solved.items() if not torch.allclose(answer, gradients[name])] == []


@every_exercise
def test_a_seed_decides_an_instance(exercise: Exercise) -> None:
    one, again, other = (Instance.draw(exercise, seed, Kind.HIDDEN) for seed in (1, 1, 2))

    assert one == again
    assert one.digest == again.digest
    assert one != other
    assert one != Instance.canonical(exercise)


@every_exercise
def test_the_text_of_the_forward_pass_computes_the_state(exercise: Exercise) -> None:
    state = Instance.canonical(exercise).tensors()
    namespace: dict[str, Any] = {"torch": torch, "F": F} | variables(exercise.given(state))

    exec(exercise.forward.text, namespace)

    assert [name for name in exercise.lines if not torch.equal(namespace[name], state[name])] == []


def test_a_line_comes_without_its_comment() -> None:
    assert "embcat = emb.view(emb.shape[0], -1)  # " in FULL.forward.text

    assert FULL.lines["embcat"] == "embcat = emb.view(emb.shape[0], -1)"
