"""Two mistakes in two parts of one answer: one that has a name, and one that only keeps to its part.

The part that is off in an unknown way may have any factor for each row, or for each column. These are few numbers for
many elements. If another part then fits with a factor that has a name, that factor is a mistake of its own: taking it
away leaves an error that lies in one part alone. A part is not called missing here: a wrong tensor in its place may be
the free part, times factors along an axis.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from grader.diagnosis.case import NEAR, OVERDETERMINED, Case
from grader.diagnosis.codes import Finding
from grader.diagnosis.hypotheses.ratios import is_even
from grader.diagnosis.hypotheses.terms import UNIT, Part, Weighted, is_natural, named_findings, parts
from grader.diagnosis.repair import replaced

DISTINCT = 1e-2  # how much of a part is left when the other part, times factors along an axis, is taken away


@dataclass(frozen=True)
class _Free:
    """A part that may have any factor along an axis: ``left`` is what this leaves of the answer's error."""

    part: Part
    axis: int
    left: Tensor

    def leaves(self, share: Tensor) -> Tensor:
        """Return what is left of a share when the nearest of the free part is taken away."""
        return share - _along(share, self.part.share, self.axis)


def one_with_a_name(case: Case) -> Iterator[Finding]:
    """Find a part with a wrong sign or factor, or left out, beside a part with factors along an axis."""
    if not case.same_shape or case.is_stretched or case.right.dim() != 2 or min(case.right.shape) < 2:
        return
    known = parts(case)
    if len(known) < 2:
        return
    error = case.answer - case.right
    for free in [_Free(part, axis, error) for part in known for axis in (0, 1)]:
        if int((free.part.share != 0).sum()) < OVERDETERMINED * error.shape[1 - free.axis]:
            continue
        if is_even(free.part.share, free.axis):  # anything with one number for each of them fits such a part
            continue
        free = replace(free, left=free.leaves(error))
        for part in known:
            weight = None if part.paths & free.part.paths else _weight(free, part)
            if weight is not None:
                yield from _findings(case, Weighted(part, weight), free)


def _weight(free: _Free, part: Part) -> float | None:
    """Return the factor of a part, not 0, if nothing but the free part is left of the error then."""
    left = free.leaves(part.share).reshape(-1)
    share, error = part.share.reshape(-1), free.left.reshape(-1)
    square = float(torch.dot(left, left))
    if not square > DISTINCT**2 * float(torch.dot(share, share)):
        return None  # the free part could stand for this one
    product, whole = float(torch.dot(left, error)), float(torch.dot(error, error))
    if abs(whole - product**2 / square) > NEAR * whole:
        return None
    weight = 1 + product / square
    return None if abs(weight) < UNIT or abs(weight - 1) <= UNIT else weight


def _findings(case: Case, off: Weighted, free: _Free) -> Iterator[Finding]:
    share, other = off.part.share, free.part
    observed = case.answer - (case.right - share - other.share)
    stands = off.weight * share + _along(observed - off.weight * share, other.share, free.axis)
    if not case.same(observed, stands) or not is_natural(case, off):
        return
    repair = replaced(case, stands, share + other.share)
    if repair is not None:
        form = "term_along_an_axis" if other.edge is not None else "route_along_an_axis"
        yield from named_findings(case, off, repair, [(form, {**other.values, "axis_from_end": 2 - free.axis})])


def _along(tensor: Tensor, free: Tensor, axis: int) -> Tensor:
    """Return ``free`` times the factors along an axis that bring it nearest to a tensor (least squares)."""
    square = (free * free).sum(axis, keepdim=True)
    return free * ((tensor * free).sum(axis, keepdim=True) / torch.where(square == 0, 1.0, square))
