"""Right numbers in the wrong shape: transposed, not summed, or summed along another axis."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import permutations

import torch
from torch import Tensor

from grader.diagnosis.case import OVERDETERMINED, Case, Edge
from grader.diagnosis.codes import Code, Finding
from grader.reference import back

AXES_MAX = 4
SWEEPS = 3  # of the alternating fit of rows and columns


def rearranged(case: Case) -> Iterator[Finding]:
    """Find all the right numbers, in another order or shape."""
    answer, right = case.answer, case.right
    if answer.numel() != right.numel() or answer.numel() < 2:
        return
    shape, uses = list(answer.shape), case.uses(case.name)
    if answer.dim() == right.dim() <= AXES_MAX:
        for order in permutations(range(answer.dim())):
            if order != tuple(range(answer.dim())) and case.same(answer.permute(order), right):
                yield Finding(Code.TRANSPOSED, "axes", at=uses, shape=shape)
                return
    if case.same(answer.reshape(right.shape), right):
        if [length for length in answer.shape if length > 1] == [length for length in right.shape if length > 1]:
            yield Finding(Code.WRONG_AXIS, "other_axis", at=uses, shape=shape, right=list(right.shape))
        else:
            yield from _shuffled(case)
        return
    if not _near(answer.max(), right.max()) or not _near(answer.min(), right.min()):
        return
    ours, theirs = answer.reshape(-1).sort().values, right.reshape(-1).sort().values
    if case.same(ours, theirs) and int((theirs.diff() != 0).sum()) > theirs.numel() // 2:
        yield from _shuffled(case)


def not_reduced(case: Case) -> Iterator[Finding]:
    """Find a broadcast tensor's gradient before the sum, or summed along wrong axes."""
    for edge in case.edges:
        yield from _summed(case, edge)


def unsummed(case: Case) -> Iterator[Finding]:
    """Find the right gradient with an additional axis that is still to be summed, or on a diagonal."""
    answer, right = case.answer, case.right
    if not answer.numel() > right.numel() or answer.dim() > AXES_MAX:
        return
    shape, uses = list(answer.shape), case.uses(case.name)
    for axis in range(answer.dim()):
        summed = answer.sum(axis)
        if summed.numel() == right.numel() and case.same(summed.reshape(right.shape), right):
            yield Finding(Code.NOT_REDUCED, "axis", at=uses, shape=shape, right=list(right.shape), axis=axis)
            return
    square = answer.dim() == 2 and answer.shape[0] == answer.shape[1] == right.numel()
    if square and case.same(answer.diagonal().reshape(right.shape), right):
        yield Finding(Code.WRONG_AXIS, "diagonal", at=uses, shape=shape)


def summed_needlessly(case: Case) -> Iterator[Finding]:
    """Find a term, or the upstream gradient of a term, summed along an axis that nothing was stretched along."""
    if not case.same_shape:
        return
    for edge in case.edges:
        for form, gradient in (("term", edge.term), ("upstream", edge.upstream)):
            for axis, length in enumerate(gradient.shape):
                if length == 1:
                    continue
                stretched = gradient.sum(axis, keepdim=True).expand(gradient.shape)
                if form == "term":
                    arrived = case.arrives(edge, stretched)
                elif edge.may_come_from(stretched, (1, 1 / length)):
                    arrived = case.arrives(edge, back(edge.step, stretched)[edge.read])
                else:
                    continue
                weight = case.weight(edge.observed, arrived)
                if weight is not None and any(abs(weight * each - 1) < 1e-4 for each in (1, length)):
                    needless = "needless_sum_of_a_term" if form == "term" else "needless_sum_of_the_upstream"
                    yield Finding(Code.WRONG_AXIS, needless, at=edge.step.name, read=edge.read, axis=axis)
                    return


def summed_otherwise(case: Case) -> Iterator[Finding]:
    """Find a share off by a factor for each row and one for each column: a sum along the other axis went in."""
    if not case.same_shape or case.right.dim() != 2 or min(case.right.shape) < 2:
        return
    for bundle in case.bundles:
        share, observed = bundle.share, bundle.observed
        largest_row = share.abs().sum(1).argmax()
        pivot = share[largest_row]
        if not bool(pivot.all()) or int((share != 0).sum()) < OVERDETERMINED * sum(share.shape):
            continue
        columns = observed[largest_row] / pivot
        rows = columns
        for _ in range(SWEEPS):
            rows = _projected(observed, share * columns, 1)
            columns = _projected(observed, share * rows, 0)
        if case.same(observed, share * rows * columns):
            yield Finding(Code.WRONG_AXIS, "part", at=bundle.edges[-1].step.name)
            return


def turned_operands(case: Case) -> Iterator[Finding]:
    """Find a square upstream gradient, or a square factor of the line, transposed."""
    for edge in case.edges:
        upstream, step = edge.upstream, edge.step
        if upstream.dim() > 1 and upstream.shape[-1] == upstream.shape[-2] > 1:
            turned = case.arrives(edge, back(step, upstream.mT.contiguous())[edge.read])
            if turned is not None and case.same(edge.observed, turned):
                yield Finding(Code.TRANSPOSED, "upstream", at=step.name)
        for other in step.reads:
            played = case.altered.transposed(step.name, other) if other != edge.read else None
            if played is None or played.output.shape != upstream.shape:
                continue
            if case.same(edge.observed, case.arrives(edge, back(played, upstream)[edge.read])):
                yield Finding(Code.TRANSPOSED, "operand", at=step.name, other=other)


def _projected(observed: Tensor, onto: Tensor, axis: int) -> Tensor:
    """Return the factors along an axis that bring ``onto`` nearest to ``observed`` (least squares)."""
    square = (onto * onto).sum(axis, keepdim=True)
    return (observed * onto).sum(axis, keepdim=True) / torch.where(square == 0, 1.0, square)


def _summed(case: Case, edge: Edge) -> Iterator[Finding]:
    played = case.altered.stretched(edge.step.name, edge.read)
    if played is None:
        return
    wide = back(played, edge.upstream)[edge.read]
    values = {"read": edge.read, "wide": list(wide.shape), "narrow": list(edge.term.shape)}
    if _matches(case, edge, wide):
        yield Finding(Code.NOT_REDUCED, "stretched", edge.step.name, **values)
    else:
        for reduced in _other_sums(wide, edge.term):
            if _matches(case, edge, reduced):
                yield Finding(Code.WRONG_AXIS, "sum", edge.step.name, **values)
                return


def _matches(case: Case, edge: Edge, candidate: Tensor) -> bool:
    """Whether the student has this in place of the edge's term, in whatever shape that gives."""
    arrived = case.arrives(edge, candidate)
    if case.same(edge.observed, arrived):
        return True
    if arrived is None:
        return False
    if edge.observed.shape == arrived.shape != case.right.shape and not case.matters(edge.observed):
        return not case.matters(arrived)  # everything cancels in the sum: the shape alone tells it
    if edge.read != case.name or edge.share is case.right:
        return False
    try:
        return case.same(case.answer, case.right - edge.share + candidate)
    except RuntimeError:
        return False


def _other_sums(wide: Tensor, right: Tensor) -> Iterator[Tensor]:
    """Yield the sums along every choice of axes but the right one, with and without the axes kept."""
    for axis in range(wide.dim()):
        for keep in (True, False):
            reduced = wide.sum(axis, keepdim=keep)
            if reduced.shape != right.shape:
                yield reduced
                yield reduced / wide.shape[axis]
                if reduced.dim() and right.numel() == reduced.numel():
                    yield reduced.reshape(right.shape)
            elif torch.count_nonzero(reduced - right):
                yield reduced
    total = wide.sum()
    if right.numel() > 1:
        yield from (total, total.reshape([1] * right.dim()), total.expand(right.shape))


def _near(one: Tensor, other: Tensor) -> bool:
    return math.isclose(one, other, rel_tol=1e-3, abs_tol=1e-12)


def _shuffled(case: Case) -> Iterator[Finding]:
    uses = case.uses(case.name)
    for code in (Code.TRANSPOSED, Code.WRONG_AXIS):
        yield Finding(code, "shuffled", at=uses, right=list(case.right.shape))
