"""A sum inside an expression that goes along another axis, or over everything.

Such a sum makes a term off by a factor for each row and one for each column. Other mistakes do that as well. So the
factors are not enough: they must be sums, along that axis, of a gradient on the way or of its product with a tensor of
the forward pass; or what stands in place of the term must be normalised along that axis.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from grader.diagnosis.case import OVERDETERMINED, Bundle, Case
from grader.diagnosis.codes import Code, Finding
from grader.diagnosis.repair import replaced

SWEEPS = 3  # of the alternating fit of rows and columns
ALIKE = 1e-3  # relative; the factors are fitted, and a share is small in some rows


def along_the_other_axis(case: Case) -> Iterator[Finding]:
    """Find a sum along the rows where one along the columns belongs, or the other way round."""
    if not case.same_shape or case.right.dim() != 2 or min(case.right.shape) < 2:
        return
    for bundle in case.bundles:
        factors = _factors(case, bundle)
        if factors is None or any(map(_uniform, factors)):
            continue
        share, observed = bundle.share, bundle.observed
        edge, repair = bundle.edges[0], replaced(case, share * factors[0] * factors[1], share)
        rows, columns = factors
        for axis, factor, other in ((1, rows, columns), (0, columns, rows)):
            values: dict[str, Any] = {"read": edge.read, "axis": axis}
            if _is_normalised(observed, axis) and _is_normalised(share, 1 - axis):
                yield Finding(Code.WRONG_AXIS, "normalised", edge.step.name, repair, **values)
                return
            if any(_is_in_place_of(summand, axis, factor, other) for summand in _summands(case, bundle)):
                yield Finding(Code.WRONG_AXIS, "part", edge.step.name, repair, **values)
                return


def over_everything(case: Case) -> Iterator[Finding]:
    """Find one number, the sum of everything, where a sum for each row or for each column belongs."""
    if not case.same_shape or case.right.dim() != 2 or min(case.right.shape) < 2:
        return
    for bundle in case.bundles:
        share, observed, edge = bundle.share, bundle.observed, bundle.edges[0]
        for axis in (0, 1):
            if int((share != 0).sum()) < OVERDETERMINED * share.shape[1 - axis]:
                continue
            weights = _projected(observed, share, axis)
            if not case.same(observed, weights * share):
                continue
            repair = replaced(case, weights * share, share)
            values: dict[str, Any] = {"read": edge.read, "axis": axis}
            if _is_normalised(share, axis) and _alike(observed.sum(), share.sum(axis)):
                yield Finding(Code.WRONG_AXIS, "normalised_over_all", edge.step.name, repair, **values)
                return
            if any(
                _alike(weights * summand.sum(axis, keepdim=True), summand.sum()) for summand in _summands(case, bundle)
            ):
                yield Finding(Code.WRONG_AXIS, "part_over_all", edge.step.name, repair, **values)
                return


def _factors(case: Case, bundle: Bundle) -> tuple[Tensor, Tensor] | None:
    """Return factors (rows, 1) and (1, columns) that a share is off by; None if it is not off like that."""
    share, observed = bundle.share, bundle.observed
    largest_row = share.abs().sum(1).argmax()
    pivot = share[largest_row]
    if not bool(pivot.all()) or int((share != 0).sum()) < OVERDETERMINED * sum(share.shape):
        return None
    columns = (observed[largest_row] / pivot).unsqueeze(0)
    rows = columns
    for _ in range(SWEEPS):
        rows = _projected(observed, share * columns, 1)
        columns = _projected(observed, share * rows, 0)
    return (rows, columns) if case.same(observed, share * rows * columns) else None


def _summands(case: Case, bundle: Bundle) -> Iterator[Tensor]:
    """Yield what may have been summed: gradients on the way, and their products with a tensor of the forward pass."""
    shape = bundle.share.shape
    values = [value for value in case.values.values() if value.shape == shape and value.is_floating_point()]
    seen: set[int] = set()
    for edge in case.edges:
        for gradient in (edge.upstream, edge.term):
            if gradient.shape != shape or id(gradient) in seen:
                continue
            seen.add(id(gradient))
            yield gradient
            for value in values:
                yield gradient * value


def _is_in_place_of(summand: Tensor, axis: int, factor: Tensor, other: Tensor) -> bool:
    """Whether the sum along ``axis`` stands where the one along the other axis belongs."""
    if not _proportional(summand.sum(axis, keepdim=True), factor):
        return False
    left = summand.sum(1 - axis, keepdim=True) * other
    return _alike(left, left.mean())


def _projected(observed: Tensor, onto: Tensor, axis: int) -> Tensor:
    """Return the factors along an axis that bring ``onto`` nearest to ``observed`` (least squares)."""
    square = (onto * onto).sum(axis, keepdim=True)
    return (observed * onto).sum(axis, keepdim=True) / torch.where(square == 0, 1.0, square)


def _is_normalised(part: Tensor, axis: int) -> bool:
    """Whether the sums along an axis are all the same, and no element has another sign."""
    return bool((part >= 0).all() | (part <= 0).all()) and _uniform(part.sum(axis))


def _uniform(factors: Tensor) -> bool:
    return bool(factors.max() - factors.min() <= ALIKE * factors.abs().max())


def _alike(one: Tensor, other: Tensor) -> bool:
    """Whether all elements of two tensors that broadcast are one number, which is not zero."""
    difference = (one - other).abs().max()
    return bool(other.abs().max() > 0) and bool(difference <= ALIKE * other.abs().max())


def _proportional(one: Tensor, other: Tensor) -> bool:
    """Whether two tensors of one shape are the same but for a factor."""
    if one.shape != other.shape or not bool(one.any()):
        return False
    first, second = one.double().reshape(-1), other.double().reshape(-1)
    factor = float(torch.dot(first, second)) / float(torch.dot(first, first))
    return bool(((second - factor * first).abs() <= ALIKE * second.abs().max()).all())
