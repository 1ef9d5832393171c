"""A line goes back element by element for a gradient too large along one axis, and not where that is unclear."""

from __future__ import annotations

import torch

from exercises.tape import Step
from grader.origin.odd_shapes import back_by_element
from grader.reference.gradients import reference
from tests.grader.rows import INSTANCE


def test_an_axis_in_the_middle_stays_there() -> None:
    leaf = torch.ones(2, 3, 4, requires_grad=True)
    upstream = torch.arange(24.0).reshape(2, 3, 4)

    found = back_by_element(Step("y", leaf.sum(1, keepdim=True), {"x": leaf}), "x", upstream)

    assert found is not None and found.equal(upstream)


def test_an_axis_of_a_third_length_has_no_result() -> None:
    leaf = torch.ones(2, 5, requires_grad=True)

    assert back_by_element(Step("y", leaf.sum(1, keepdim=True), {"x": leaf}), "x", torch.ones(2, 3)) is None


def test_going_back_by_element_is_bounded() -> None:
    step = next(step for step in reference(INSTANCE).cut.steps if step.name == "bnvar_inv")

    assert back_by_element(step, "bnvar", torch.ones(1024, 64)) is not None
    assert back_by_element(step, "bnvar", torch.ones(1025, 64)) is None
