"""An instance is its exercise and its bytes."""

from __future__ import annotations

import pytest
import torch

from exercises.instance import Instance, Kind, freeze
from exercises.registry import find

FULL, CROSS_ENTROPY = find("makemore/full-backward"), find("makemore/cross-entropy")


def test_equal_bytes_of_two_exercises_differ() -> None:
    state = freeze({"x": torch.ones(2)})

    full = Instance(exercise=FULL, state=state, kind=Kind.HIDDEN, dataset="d")
    cross_entropy = Instance(exercise=CROSS_ENTROPY, state=state, kind=Kind.HIDDEN, dataset="d")

    assert full.digest == cross_entropy.digest
    assert full != cross_entropy


def test_tensors_are_copies_each_time() -> None:
    instance = Instance(exercise=FULL, state=freeze({"x": torch.ones(2)}), kind=Kind.HIDDEN, dataset="d")

    instance.tensors()["x"].zero_()

    assert instance.tensors()["x"].tolist() == [1.0, 1.0]


def test_views_freeze_to_the_bytes_of_their_copies() -> None:
    base = torch.arange(6.0).reshape(2, 3)

    views = freeze({"base": base, "turned": base.T, "row": base[1]})

    assert views == freeze({"base": base.clone(), "turned": base.T.contiguous(), "row": base[1].clone()})


def test_the_canonical_instance_is_of_kind_canonical() -> None:
    assert Instance.canonical(FULL).kind is Kind.CANONICAL


@pytest.mark.parametrize("kind", [Kind.STUDENT, Kind.HIDDEN])
def test_a_drawn_instance_is_of_the_kind_asked_for(kind: Kind) -> None:
    assert Instance.draw(FULL, 1, kind).kind is kind
