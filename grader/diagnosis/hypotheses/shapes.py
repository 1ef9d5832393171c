"""Right numbers in the wrong shape: transposed, not summed, or summed along another axis."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import permutations
from typing import Any

import torch
from torch import Tensor

from grader.diagnosis.case import Case, Edge
from grader.diagnosis.codes import Code, Finding
from grader.diagnosis.factors import named
from grader.diagnosis.repair import replaced
from grader.reference.backward import back
from grader.rounding.closeness import is_uniform

AXES_MAX = 4
# Form → the one for a tensor inside the answer's expression, whose gradient the student did not write down.
INNER = {
    "stretched": "inner_stretched",
    "sum": "inner_sum",
    "mean": "inner_mean",
    "sum_of_all": "inner_sum_of_all",
}


def rearranged(case: Case) -> Iterator[Finding]:
    """Find all the right numbers, in another order or shape."""
    answer, right = case.answer, case.right
    if answer.numel() != right.numel() or answer.numel() < 2:
        return
    shape, uses = list(answer.shape), case.uses(case.name)
    if answer.dim() == right.dim() <= AXES_MAX:
        for order in permutations(range(answer.dim())):
            turned = answer.permute(order)
            if order != tuple(range(answer.dim())) and case.same(turned, right):
                yield Finding(Code.TRANSPOSED, "axes", uses, turned, shape=shape)
                return
    if case.same(answer.reshape(right.shape), right):
        if [length for length in answer.shape if length > 1] == [length for length in right.shape if length > 1]:
            repair = answer.reshape(right.shape)
            yield Finding(Code.WRONG_AXIS, "other_axis", uses, repair, shape=shape, right=list(right.shape))
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
            values: dict[str, Any] = {"shape": shape, "right": list(right.shape), "axis": axis}
            yield Finding(Code.NOT_REDUCED, "axis", uses, summed.reshape(right.shape), **values)
            return
    square = answer.dim() == 2 and answer.shape[0] == answer.shape[1] == right.numel()
    diagonal = answer.diagonal().reshape(right.shape) if square else None
    if diagonal is not None and case.same(diagonal, right):
        yield Finding(Code.WRONG_AXIS, "diagonal", uses, diagonal, shape=shape)


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
                if form == "upstream" and _is_number_with_a_name(case, edge, stretched):
                    continue  # nothing says that it is a sum
                if form == "term":
                    arrived = case.arrives(edge, stretched)
                elif edge.may_come_from(stretched, (1, 1 / length)):
                    arrived = case.arrives(edge, back(edge.step, stretched)[edge.read])
                else:
                    continue
                weight = case.weight(edge.observed, arrived)
                if arrived is not None and weight is not None and _is_sum_or_mean(weight, length):
                    needless = "needless_sum_of_a_term" if form == "term" else "needless_sum_of_the_upstream"
                    repair = replaced(case, weight * arrived, edge.share)
                    yield Finding(Code.WRONG_AXIS, needless, edge.step.name, repair, read=edge.read, axis=axis)
                    return


def _is_number_with_a_name(case: Case, edge: Edge, gradient: Tensor) -> bool:
    number = float(gradient.reshape(-1)[0])
    return bool(number) and is_uniform(gradient) and named(number, case, (edge,)) is not None


def _is_sum_or_mean(weight: float, length: int) -> bool:
    return any(abs(weight * each - 1) < 1e-4 for each in (1, length))


def turned_operands(case: Case) -> Iterator[Finding]:
    """Find a square upstream gradient, or a square factor of the line, transposed."""
    for edge in case.edges:
        upstream, step = edge.upstream, edge.step
        if upstream.dim() > 1 and upstream.shape[-1] == upstream.shape[-2] > 1:
            turned = case.arrives(edge, back(step, upstream.mT.contiguous())[edge.read])
            if turned is not None and case.same(edge.observed, turned):
                yield Finding(Code.TRANSPOSED, "upstream", step.name, replaced(case, turned, edge.share))
        for other in step.reads:
            played = case.altered.transposed(step.name, other) if other != edge.read else None
            if played is None or played.output.shape != upstream.shape:
                continue
            turned = case.arrives(edge, back(played, upstream)[edge.read])
            if turned is not None and case.same(edge.observed, turned):
                repair = replaced(case, turned, edge.share)
                yield Finding(Code.TRANSPOSED, "operand", step.name, repair, other=other)


def _summed(case: Case, edge: Edge) -> Iterator[Finding]:
    played = case.altered.stretched(edge.step.name, edge.read)
    if played is None:
        return
    wide = back(played, edge.upstream)[edge.read]
    values: dict[str, Any] = {"read": edge.read, "wide": list(wide.shape), "narrow": list(edge.term.shape)}
    arrived = case.arrives(edge, wide)
    inner = edge.read != case.name
    if not inner and _cancels_alike(case, edge, arrived):
        yield Finding(Code.NOT_REDUCED, "stretched_and_cancelled", edge.step.name, **values)
        return
    repair = _repaired(case, edge, wide, arrived)
    if repair is not None:
        yield Finding(Code.NOT_REDUCED, INNER["stretched"] if inner else "stretched", edge.step.name, repair, **values)
        return
    for form, reduced in _other_sums(wide, edge.term):
        arrived = case.arrives(edge, reduced)
        if not inner and _cancels_alike(case, edge, arrived):
            yield Finding(Code.WRONG_AXIS, "sum_and_cancelled", edge.step.name, **values)
            return
        repair = _repaired(case, edge, reduced, arrived)
        if repair is not None:
            yield Finding(Code.WRONG_AXIS, INNER[form] if inner else form, edge.step.name, repair, **values)
            return


def _cancels_alike(case: Case, edge: Edge, arrived: Tensor | None) -> bool:
    """Whether everything cancels in the sum, so that the shape alone tells that it was not taken."""
    if arrived is None or not edge.observed.shape == arrived.shape != case.right.shape:
        return False
    return not case.matters(edge.observed) and not case.matters(arrived)


def _repaired(case: Case, edge: Edge, candidate: Tensor, arrived: Tensor | None) -> Tensor | None:
    """Return the answer with the edge's term in place of ``candidate``, in whatever shape that gives.

    ``arrived`` is what arrives of the candidate. None if it does not stand in the answer.
    """
    if arrived is None:
        return None
    if case.same(edge.observed, arrived):
        return replaced(case, arrived, edge.share)
    if edge.read != case.name or edge.share is case.right:
        return None
    try:
        stands = case.right - edge.share + candidate
    except RuntimeError:
        return None
    return replaced(case, candidate, edge.share) if case.same(case.answer, stands) else None


def _other_sums(wide: Tensor, right: Tensor) -> Iterator[tuple[str, Tensor]]:
    """Yield the sums along every choice of axes but the right one, with and without the axes kept, and their form."""
    for axis in range(wide.dim()):
        for keep in (True, False):
            reduced = wide.sum(axis, keepdim=keep)
            if reduced.shape != right.shape:
                yield "sum", reduced
                yield "mean", reduced / wide.shape[axis]
                if reduced.dim() and right.numel() == reduced.numel():
                    yield "sum", reduced.reshape(right.shape)
            elif torch.count_nonzero(reduced - right):
                yield "sum", reduced
    total = wide.sum()
    if right.numel() > 1:
        for each in (total, total.reshape([1] * right.dim()), total.expand(right.shape)):
            yield "sum_of_all", each


def _near(one: Tensor, other: Tensor) -> bool:
    return math.isclose(one, other, rel_tol=1e-3, abs_tol=1e-12)


def _shuffled(case: Case) -> Iterator[Finding]:
    uses, shape = case.uses(case.name), list(case.right.shape)
    if _is_view_of_turned(case):
        yield Finding(Code.TRANSPOSED, "shuffled", at=uses, right=shape)
    yield Finding(Code.WRONG_AXIS, "shuffled", at=uses, right=shape)


def _is_view_of_turned(case: Case) -> bool:
    """Whether the numbers are in the order that they have after axes were turned, of the answer or of what is right."""
    for one, other in ((case.answer, case.right), (case.right, case.answer)):
        for order in permutations(range(one.dim())) if one.dim() <= AXES_MAX else ():
            if case.same(one.permute(order).reshape(-1), other.reshape(-1)):
                return True
    return False
