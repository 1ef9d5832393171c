"""The answer key of an exercise: its derived lines, from the loss back."""

from __future__ import annotations

from author.derive import BackwardLine, derived
from exercises.exercise import Exercise
from exercises.instance import Instance
from exercises.tape import variables


def key_lines(exercise: Exercise) -> tuple[BackwardLine, ...]:
    """Return the backward lines that give the gradient of every checkpoint, and those in between.

    :raises Refused: an operation has no rule
    """
    given = exercise.given(Instance.canonical(exercise).tensors())
    leaves = {
        name: tensor.detach().clone().requires_grad_(tensor.is_floating_point() and name not in exercise.data)
        for name, tensor in given.items()
    }
    return derived(exercise.forward, variables(leaves), [checkpoint.name for checkpoint in exercise.checkpoints])
