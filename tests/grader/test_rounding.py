"""Gradients that differ by rounding only, and those of other shapes."""

from __future__ import annotations

import pytest
import torch

from grader.rounding import align, close, fit, is_degenerate


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
