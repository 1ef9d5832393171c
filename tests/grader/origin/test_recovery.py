"""An upstream gradient is recovered only where an answer determines all of it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from exercises.tape import Step
from grader.origin.recovery import ELEMENTS_MAX, recover_upstream
from grader.reference.backward import back
from grader.rounding.error_bounds import frozen_steps
from tests.grader.rows import INSTANCE

STEPS = {step.name: step for step in frozen_steps(INSTANCE)}


def drawn(*shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(3), dtype=torch.float64)


def step_of(function: Callable[[Tensor], Tensor], value: Tensor) -> Step:
    leaf = value.clone().requires_grad_()
    return Step("y", function(leaf), {"x": leaf})


def recovers(step: Step, read: str) -> bool:
    """Whether the upstream gradient comes back from its term in float32."""
    upstream = drawn(*step.output.shape)
    recovered = recover_upstream(step, read, back(step, upstream)[read].float())
    if recovered is not None:
        assert torch.allclose(recovered, upstream, rtol=1e-5, atol=1e-5)
    return recovered is not None


@pytest.mark.parametrize(
    ("step", "read"),
    [
        ("hpreact", "bnraw"),  # a factor for each element
        ("logprobs", "probs"),  # factors of very different sizes
        ("embcat", "emb"),  # the same numbers in another shape
        ("logits", "h"),  # a product of matrices, 64 numbers for 27
        ("bnvar", "bndiff2"),  # one number, stretched over a column
        ("logit_maxes", "logits"),  # one number, put at the place of the maximum
    ],
)
def test_what_is_determined_is_recovered(step: str, read: str) -> None:
    assert recovers(STEPS[step], read)


@pytest.mark.parametrize(
    ("step", "read"),
    [
        ("hpreact", "bnbias"),  # a sum
        ("logits", "W2"),  # 64 x 27 numbers for 32 x 27, but some examples of the batch are equal
        ("hprebn", "embcat"),  # 30 numbers for 64
        ("hprebn", "W1"),  # 30 rows for 32
        ("emb", "C"),  # sums over repeated indices
    ],
)
def test_what_is_not_determined_is_not_recovered(step: str, read: str) -> None:
    recovered = recover_upstream(STEPS[step], read, back(STEPS[step], drawn(*STEPS[step].output.shape))[read])

    assert recovered is None


def test_a_factor_of_zero_hides_an_element() -> None:
    assert recovers(step_of(lambda x: 3 * x, torch.ones(3)), "x")
    assert not recovers(step_of(lambda x: torch.tensor([1.0, 0.0, 2.0]).double() * x, drawn(3)), "x")


def test_a_matrix_of_lower_rank_hides_a_direction() -> None:
    matrix = drawn(4, 4)
    singular = matrix.clone()
    singular[0] = singular[1]

    assert recovers(step_of(lambda x: x @ matrix, drawn(6, 4)), "x")
    assert not recovers(step_of(lambda x: x @ singular, drawn(6, 4)), "x")


@pytest.mark.parametrize(("rows", "is_recovered"), [(ELEMENTS_MAX // 2, True), (ELEMENTS_MAX // 2 + 1, False)])
def test_only_so_many_numbers_are_solved_for(rows: int, is_recovered: bool) -> None:
    rotation = torch.tensor([[0.6, 0.8], [-0.8, 0.6]], dtype=torch.float64)

    assert recovers(step_of(lambda x: x @ rotation, drawn(rows, 2)), "x") is is_recovered


def test_an_answer_of_zeros_comes_from_zeros() -> None:
    recovered = recover_upstream(STEPS["logits"], "h", torch.zeros(32, 64))

    assert recovered is not None
    assert float(recovered.abs().max()) == 0.0


def test_what_is_too_small_to_square_is_not_recovered() -> None:
    rotation = torch.tensor([[0.6, 0.8], [-0.8, 0.6]], dtype=torch.float64)

    assert recovers(step_of(lambda x: x @ (1e-30 * rotation), drawn(5, 2)), "x")
    for size in (1e-60, 1e-100):
        step = step_of(lambda x, matrix=size * rotation: x @ matrix, drawn(5, 2))  # type: ignore[misc]
        assert recover_upstream(step, "x", drawn(5, 2)) is None
