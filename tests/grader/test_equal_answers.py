"""Wrong answers that are equal in tensor, context and instance are explained once, and others are not."""

from __future__ import annotations

import safetensors.torch
import torch

from exercises.instance import Instance, Kind
from exercises.registry import find
from grader.caches.budget import EXPLAINED_BYTES
from grader.compare import Comparison, Origin
from grader.grade import compare_all, divide_room, grade_tensors
from grader.reference.gradients import reference
from grader.tensors import read_answers

CROSS_ENTROPY = find("makemore/cross-entropy")
INSTANCE, OTHER = (Instance.draw(CROSS_ENTROPY, seed, Kind.STUDENT) for seed in (1, 2))
NAME = CROSS_ENTROPY.checkpoints[0].name
RIGHT = reference(INSTANCE).gradients[NAME]


def row_of(instance: Instance, **tensors: torch.Tensor) -> Comparison:
    """Grade tensors as a file, and return the row of the first checkpoint."""
    named = {name.replace("context_", "context."): tensor for name, tensor in tensors.items()}
    return grade_tensors(instance, safetensors.torch.save(named)).checkpoints[0]


def test_an_equal_wrong_answer_is_not_explained_again() -> None:
    first, again = (row_of(INSTANCE, **{NAME: -2 * RIGHT}) for _ in range(2))

    assert first.origin is Origin.OWN
    assert again is first


def test_a_process_of_several_keeps_its_part_of_what_was_explained() -> None:
    first = row_of(INSTANCE, **{NAME: -2 * RIGHT})

    try:
        divide_room(EXPLAINED_BYTES)
        again = row_of(INSTANCE, **{NAME: -2 * RIGHT})
    finally:
        divide_room(1)

    assert again == first
    assert again is not first


def test_another_tensor_or_instance_or_context_is_explained_anew() -> None:
    answers = [
        (INSTANCE, {NAME: -2 * RIGHT}),
        (INSTANCE, {NAME: 3 * RIGHT}),
        (OTHER, {NAME: -2 * RIGHT}),
        (INSTANCE, {NAME: -2 * RIGHT, "context_dloss": torch.ones(())}),
    ]

    rows = [row_of(instance, **tensors) for instance, tensors in answers]

    assert len({id(row) for row in rows}) == len(rows)
    for row, (instance, tensors) in zip(rows, answers, strict=True):
        content = safetensors.torch.save({name.replace("context_", "context."): each for name, each in tensors.items()})
        file = read_answers(CROSS_ENTROPY.checkpoints, content)
        assert row == compare_all(instance, file.answers, context=file.context)[0]
