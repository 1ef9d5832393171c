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
        edge, share = bundle.edges[0], bundle.share
        repair = replaced(case, share * factors[0] * factors[1], share)
        for axis in (0, 1):
            values: dict[str, Any] = {"read": edge.read, "axis": axis}
            if _is_normalised(bundle.observed, axis) and _is_normalised(share, 1 - axis):
                yield Finding(Code.WRONG_AXIS, "normalised", edge.step.name, repair, **values)
                return
            if _is_in_place_of(_sums(case), axis, factors):
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
            if _is_normalised(share, axis) and bool(_alike(observed.sum(), share.sum(axis), 0)):
                yield Finding(Code.WRONG_AXIS, "normalised_over_all", edge.step.name, repair, **values)
                return
            sums = _sums(case)[axis]
            if bool(_alike(weights.reshape(-1) * sums, sums.sum(1, keepdim=True), 1).any()):
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


def _sums(case: Case) -> tuple[Tensor, Tensor]:
    """Return the sums along axis 0 and along axis 1 of what may have been summed, one in each row.

    That is each gradient on the way, and its product with each tensor of the forward pass of its shape.
    """
    shape = case.right.shape
    gradients = {id(each): each for edge in case.edges for each in (edge.upstream, edge.term) if each.shape == shape}
    values = [value for value in case.values.values() if value.shape == shape and value.is_floating_point()]
    if not gradients:
        return torch.zeros(0, shape[1]), torch.zeros(0, shape[0])
    one, other = torch.stack(list(gradients.values())), torch.stack([torch.ones(shape), *values])
    along_0 = torch.einsum("gij,vij->gvj", one, other).reshape(-1, shape[1])
    along_1 = torch.einsum("gij,vij->gvi", one, other).reshape(-1, shape[0])
    return along_0, along_1


def _is_in_place_of(sums: tuple[Tensor, Tensor], axis: int, factors: tuple[Tensor, Tensor]) -> bool:
    """Whether a sum along ``axis`` stands where the one along the other axis belongs.

    ``factors`` are those along the rows and along the columns that the part is off by. The ones are the sum that
    stands there, the others one over the sum that belongs there.
    """
    stands = factors[0] if axis == 1 else factors[1]
    belongs = factors[1] if axis == 1 else factors[0]
    have = sums[axis] / stands.reshape(-1)
    left = sums[1 - axis] * belongs.reshape(-1)
    return bool((_alike(have, have.mean(1, keepdim=True), 1) & _alike(left, left.mean(1, keepdim=True), 1)).any())


def _projected(observed: Tensor, onto: Tensor, axis: int) -> Tensor:
    """Return the factors along an axis that bring ``onto`` nearest to ``observed`` (least squares)."""
    square = (onto * onto).sum(axis, keepdim=True)
    return (observed * onto).sum(axis, keepdim=True) / torch.where(square == 0, 1.0, square)


def _is_normalised(part: Tensor, axis: int) -> bool:
    """Whether the sums along an axis are all the same, and no element has another sign."""
    return bool((part >= 0).all() | (part <= 0).all()) and _uniform(part.sum(axis))


def _uniform(factors: Tensor) -> bool:
    return bool(factors.max() - factors.min() <= ALIKE * factors.abs().max())


def _alike(one: Tensor, other: Tensor, axis: int) -> Tensor:
    """Return where all elements along an axis are the same in both tensors, and not zero."""
    size = other.abs().amax(axis)
    return (size > 0) & ((one - other).abs().amax(axis) <= ALIKE * size)
