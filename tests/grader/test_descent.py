"""Steps of gradient descent, and what is said of a backward pass that gives no gradient to take one with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
import torch
from torch import Tensor

from grader.descent import BadGradient, compiled, descend, update

FORWARD = compiled("x = W[Xb] * n\nloss = (x - Yb).pow(2).sum()")
START = torch.tensor([[1.0, 2.0]])


def trained(gradients: Any, rates: tuple[float, ...] = (0.5,)) -> Tensor:
    """Parameters after some steps."""
    parameters = {"W": START.clone()}
    minibatches = [(torch.tensor([0]), torch.tensor([[1.0, 1.0]]), rate) for rate in rates]
    descend(FORWARD, parameters, {"n": 2}, minibatches, gradients)
    return parameters["W"]


def test_a_step_goes_against_the_gradient_of_its_own_forward_pass() -> None:
    seen: list[Mapping[str, Any]] = []

    def gradients(state: dict[str, Any]) -> Mapping[str, Any]:
        seen.append(state)
        return {"dW": state["x"]}

    after = trained(gradients, (0.5, 0.25))

    assert [state["x"].tolist() for state in seen] == [[[2.0, 4.0]], [[0.0, 0.0]]]
    assert after.tolist() == [[0.0, 0.0]]
    assert set(seen[0]) == {"W", "n", "Xb", "Yb", "x", "loss"}


@pytest.mark.parametrize("key", ["dW", "W"])
@pytest.mark.parametrize("shape", [(1, 2), (2,), (2, 1)])
def test_a_gradient_may_lack_dimensions_of_one(key: str, shape: tuple[int, ...]) -> None:
    assert trained(lambda state: {key: torch.ones(shape)}).tolist() == [[0.5, 1.5]]


def test_the_lectures_name_of_a_gradient_goes_first() -> None:
    gradients = {"W": torch.zeros(1, 2), "dW": torch.ones(1, 2)}

    assert trained(lambda state: gradients).tolist() == [[0.5, 1.5]]


def test_a_transposed_gradient_is_refused() -> None:
    with pytest.raises(BadGradient, match=r"dW has shape \[3, 2\], and W has \[2, 3\]"):
        update({"W": torch.zeros(2, 3)}, {"dW": torch.ones(3, 2)}, 0.1)


@pytest.mark.parametrize(
    ("gradients", "words"),
    [
        ({}, "there is no dW"),
        ({"dW": torch.ones(2, 2)}, r"dW has shape \[2, 2\], and W has \[1, 2\]"),
        ({"dW": torch.tensor(1.0)}, "dW has shape"),
        ({"dW": 1.0}, "dW is a float"),
    ],
)
def test_what_is_no_gradient_is_named(gradients: dict[str, Any], words: str) -> None:
    with pytest.raises(BadGradient, match=words):
        trained(lambda state: gradients)


def test_a_backward_pass_that_changes_a_parameter_is_told() -> None:
    def gradients(state: dict[str, Any]) -> Mapping[str, Any]:
        state["W"].add_(1)
        return {"dW": torch.ones(1, 2)}

    with pytest.raises(BadGradient, match="changed a parameter"):
        trained(gradients)


def test_an_update_is_the_lectures_line() -> None:
    generator = torch.Generator().manual_seed(1)
    parameter, gradient = torch.randn(30, generator=generator), torch.randn(30, generator=generator)
    expected = parameter.clone()
    expected += -0.1 * gradient

    update({"W": parameter}, {"dW": gradient}, 0.1)

    assert torch.equal(parameter, expected)
