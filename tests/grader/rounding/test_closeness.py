"""Gradients that differ by rounding only, and those of other shapes."""

from __future__ import annotations

from math import inf, nan

import pytest
import torch
from torch import Tensor

from grader.compare import BROADCAST_ELEMENTS_MAX
from grader.rounding.closeness import (
    NOISE,
    RELATIVE,
    SAMPLE_RELATIVE,
    Target,
    align,
    broadcast_shape,
    broadcasts_to,
    close,
    fit,
    is_degenerate,
    is_nearly_uniform,
    is_uniform,
    sum_of,
)


@pytest.mark.parametrize(
    ("given", "shape", "expected"),
    [
        ((64,), (1, 64), (1, 64)),
        ((1, 64), (32, 64), (32, 64)),
        ((32, 64), (1, 64), (1, 64)),
        ((32,), (32, 1), (32, 1)),
        ((64, 32), (32, 64), (32, 64)),
        ((7, 5), (32, 64), None),
        ((1024, 64), (1, 64), (1, 64)),
        ((1025, 64), (1, 64), None),  # more than LARGEST_BROADCAST
    ],
)
def test_fit(given: tuple[int, ...], shape: tuple[int, ...], expected: tuple[int, ...] | None) -> None:
    found = fit(torch.ones(given), torch.Size(shape))
    assert (None if found is None else tuple(found.shape)) == expected


def test_fit_keeps_the_numbers_where_keepdim_was_lost() -> None:
    lost = torch.arange(32.0)

    found = fit(lost, torch.Size([32, 1]))

    assert found is not None and found.equal(lost[:, None])


def test_close_goes_with_the_size_of_the_gradient() -> None:
    right = torch.tensor([1.0, -2.0, 0.0])
    for size in (1e-12, 1.0, 1e12):
        assert close(size * (right + torch.tensor([1e-6, -1e-6, 1e-6])), size * right)
        assert not close(size * (right + torch.tensor([0.0, 0.0, 1e-4])), size * right)
    assert not close(torch.zeros(3), right * 1e-12)
    assert not close(right * float("nan"), right)


def test_align_reads_an_answer_as_cmp_does() -> None:
    assert align(torch.ones(1, 27), torch.Size([27])) is not None
    assert align(torch.ones(27), torch.Size([32, 27])) is not None
    assert align(torch.ones(32), torch.Size([32, 1])) is None


def test_zero_and_not_finite_are_degenerate() -> None:
    assert is_degenerate(torch.zeros(3)) and is_degenerate(torch.tensor([1.0, float("inf")]))
    assert is_degenerate(torch.tensor([float("nan")])) and not is_degenerate(torch.tensor([0.0, 1e-30]))


def test_fit_gives_the_numbers_back_in_the_new_shape() -> None:
    row, square = torch.arange(3.0), torch.arange(6.0).reshape(2, 3)

    stretched, summed = fit(row, torch.Size([2, 3])), fit(square, torch.Size([1, 3]))
    turned, reshaped = fit(square, torch.Size([3, 2])), fit(square, torch.Size([6]))

    assert stretched is not None and stretched.equal(torch.stack([row, row]))
    assert summed is not None and summed.equal(torch.tensor([[3.0, 5.0, 7.0]]))
    assert turned is not None and turned.equal(square.T)
    assert reshaped is not None and reshaped.equal(torch.arange(6.0))


def test_fit_stretches_up_to_the_bound_of_cmp() -> None:
    """Both have an axis of 1, so that the sum is over a tensor larger than each."""
    rows = BROADCAST_ELEMENTS_MAX // 64
    wide = torch.ones(1, 64)

    assert fit(torch.ones(rows, 1), wide.shape) is not None
    assert fit(torch.ones(rows + 1, 1), wide.shape) is None


def test_align_drops_leading_axes_of_length_one_alone() -> None:
    row = torch.arange(3.0)

    dropped, stretched = align(row[None, None], torch.Size([3])), align(row, torch.Size([2, 3]))

    assert dropped is not None and dropped.equal(row)
    assert stretched is not None and stretched.equal(torch.stack([row, row]))
    assert align(row, torch.Size([3])) is row
    assert align(torch.ones(2, 3), torch.Size([3])) is None
    assert align(torch.ones(2, 1, 3), torch.Size([3])) is None


@pytest.mark.parametrize(
    ("one", "other", "common"),
    [
        ((3,), (2, 3), (2, 3)),
        ((2, 3), (3,), (2, 3)),
        ((2, 1), (1, 3), (2, 3)),
        ((), (2,), (2,)),
        ((2,), (3,), None),
        ((2, 3), (3, 2), None),
    ],
)
def test_shapes_broadcast_as_torch_does(
    one: tuple[int, ...], other: tuple[int, ...], common: tuple[int, ...] | None
) -> None:
    assert broadcast_shape(one, other) == (None if common is None else torch.Size(common))


@pytest.mark.parametrize(
    ("shape", "target", "does"),
    [
        ((), (2, 3), True),
        ((3,), (2, 3), True),
        ((2, 1), (2, 3), True),
        ((2,), (2, 3), False),
        ((1, 2, 3), (2, 3), False),
        ((2, 3), (1, 3), False),
    ],
)
def test_a_shape_broadcasts_to_another(shape: tuple[int, ...], target: tuple[int, ...], does: bool) -> None:
    assert broadcasts_to(torch.Size(shape), torch.Size(target)) is does


def test_close_has_a_relative_tolerance_and_noise() -> None:
    right = torch.tensor([1.0, 0.5, 0.0])

    def off(*by: float) -> Tensor:
        return right + torch.tensor(by)

    assert close(off(0.9 * RELATIVE, 0.0, 0.0), right)
    assert not close(off(1.5 * RELATIVE + NOISE, 0.0, 0.0), right)
    assert close(off(0.0, 0.5 * RELATIVE + 0.8 * NOISE, 0.0), right)
    assert not close(off(0.0, 0.9 * RELATIVE, 0.0), right)
    assert close(off(0.0, 0.0, 0.9 * NOISE), right)
    assert not close(off(0.0, 0.0, 1.1 * NOISE), right)
    assert close(off(0.0, 0.0, -1e-3), right, noise=2e-3)
    assert not close(off(0.0, 0.0, -1e-3), right, noise=1e-4)


def test_close_reads_shapes_as_cmp_does() -> None:
    right = torch.tensor([[1.0, 2.0], [1.0, 2.0]])

    assert close(right[0], right) and close(right[:1], right)
    assert not close(torch.ones(3), right)
    assert close(torch.tensor([0.0, inf]), torch.tensor([0.0, inf]))
    assert not close(torch.tensor([nan, 0.0]), torch.tensor([nan, 0.0]))


def test_a_target_is_sampled_at_the_largest_of_each_third() -> None:
    target = Target(torch.tensor([[1.0, -7.0, 2.0], [0.5, 3.0, -4.0]]))

    assert (target.positions.tolist(), target.values, target.largest) == ([1, 2, 5], [-7.0, 2.0, -4.0], 7.0)
    assert target.sample(10 * target.tensor) == [-70.0, 20.0, -40.0]


def test_a_target_smaller_than_its_sample_is_taken_whole() -> None:
    target = Target(torch.tensor([2.0, -5.0]))

    assert (sorted(target.positions.tolist()), target.largest) == ([0, 1], 5.0)


def test_a_sample_rules_out_what_is_not_equal_but_for_rounding() -> None:
    target = Target(torch.tensor([100.0, -10.0, 1.0]))
    slack = 2 * RELATIVE * 100.0

    assert target.may_equal([100.0, -10.0, 1.0])
    assert target.may_equal([100.0, -10.0, 1.0 + 0.9 * (SAMPLE_RELATIVE + slack)])
    assert target.may_equal([100.0, -10.0, 1.0 - 0.9 * (SAMPLE_RELATIVE + slack)])
    assert not target.may_equal([100.0, -10.0, 1.0 + 1.1 * (SAMPLE_RELATIVE + slack)])
    assert not target.may_equal([100.0, -10.2, 1.0])
    assert target.may_equal([100.0, -10.2, 1.0], noise=0.3)
    assert not target.may_equal([100.0, -10.0, nan])


def test_a_sum_is_sampled_without_being_added_up() -> None:
    target = Target(torch.tensor([1.0, 2.0, 3.0]))
    half = target.tensor / 2

    assert target.may_equal_sum([half, half])
    assert target.may_equal_sum([target.tensor])
    assert not target.may_equal_sum([half, half, half])
    assert target.may_equal_sum([half, torch.ones(1)])  # another shape: only the whole comparison knows


def test_a_sum_begins_with_its_first_tensor() -> None:
    one, two, three = torch.tensor([1.0]), torch.tensor([2.0]), torch.tensor([4.0])

    assert sum_of([one, two, three]).item() == 7.0
    assert sum_of([three]) is three


def test_nothing_at_all_is_degenerate() -> None:
    assert is_degenerate(torch.zeros(0)) and is_degenerate(torch.tensor([-inf]))
    assert not is_degenerate(torch.tensor([-1e-30]))


def test_uniform_is_equal_everywhere_and_nearly_but_for_rounding() -> None:
    flat, rough = torch.tensor([-2.0, -2.0, -2.0]), torch.tensor([-2.0, -2.0, -2.00001])

    assert is_uniform(flat) and is_nearly_uniform(flat)
    assert not is_uniform(rough) and is_nearly_uniform(rough)
    assert not is_nearly_uniform(torch.tensor([2.0, 2.0001]))
    assert not is_nearly_uniform(torch.tensor([2.0, -2.0]))
    assert not is_nearly_uniform(torch.tensor([nan, nan])) and not is_uniform(torch.tensor([nan, nan]))
    assert not is_nearly_uniform(torch.tensor([inf, inf]))


def test_zeros_are_uniform_and_may_equal_zeros() -> None:
    assert is_nearly_uniform(torch.zeros(3))
    assert Target(torch.zeros(3)).may_equal([0.0, 0.0, 0.0])
    assert Target(torch.tensor([0.0, 0.0, 1.0])).may_equal([0.0, 0.0, 1.0])


def test_tolerances_grow_with_the_numbers() -> None:
    right = torch.tensor([100.0, 50.0, 1.0])

    assert close(right * (1 + 0.9 * RELATIVE), right)
    assert Target(right).may_equal([100.0 * (1 + 0.9 * SAMPLE_RELATIVE), 50.0, 1.0])


def test_a_difference_as_large_as_the_noise_is_noise() -> None:
    assert close(torch.tensor([0.5]), torch.zeros(1), noise=0.5)


def test_one_number_is_read_as_a_scalar() -> None:
    aligned = align(torch.ones(1, 1), torch.Size([]))

    assert aligned is not None and aligned.shape == ()


def test_a_row_of_numbers_is_reshaped() -> None:
    found = fit(torch.arange(6.0), torch.Size([2, 3]))

    assert found is not None and found.equal(torch.arange(6.0).reshape(2, 3))
