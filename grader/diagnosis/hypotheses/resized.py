"""Wrong shapes and sums that come with something else: a factor, a reshape, a sum taken too early."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations
from typing import Any

from torch import Tensor

from grader.diagnosis.case import Case, Edge
from grader.diagnosis.codes import Code, Finding
from grader.diagnosis.factors import described, named
from grader.diagnosis.repair import replaced
from grader.reference.backward import back
from grader.rounding.closeness import align, is_uniform

AXES_MAX = 4
SLICES_MIN = 8  # one of each row does not fit this many rows by chance


def turned_and_scaled(case: Case) -> Iterator[Finding]:
    """Find the right gradient with its axes turned over, times a number that has a name."""
    answer, right = case.answer, case.right
    if answer.numel() != right.numel() or not 2 <= answer.dim() == right.dim() <= AXES_MAX:
        return
    for order in permutations(range(answer.dim())):
        if order == tuple(range(answer.dim())):
            continue
        turned = answer.permute(order)
        weight = case.weight(turned, right) if turned.shape == right.shape else None
        if weight is not None and named(weight, case, case.edges):
            factor = described(weight, case, case.edges)
            at, shape = case.uses(case.name), list(answer.shape)
            yield Finding(Code.TRANSPOSED, "axes_and_factor", at, turned / weight, shape=shape, factor=factor)
            return


def unsummed_and_scaled(case: Case) -> Iterator[Finding]:
    """Find a broadcast tensor's gradient before the sum, or along another axis, times a number that has a name."""
    for edge in case.direct:
        wide = _wide(case, edge)
        if wide is None:
            continue
        step = edge.step.name
        values: dict[str, Any] = {"read": edge.read, "wide": list(wide.shape), "narrow": list(edge.term.shape)}
        observed = _observed(case, edge)
        if observed is None:
            continue
        weight = case.weight(observed, wide)
        if weight is not None and named(weight, case, (edge,)):
            factor = described(weight, case, (edge,))
            repair = replaced(case, wide * weight, edge.term)
            yield Finding(Code.NOT_REDUCED, "stretched_and_factor", step, repair, factor=factor, **values)
            return
        for axis in range(wide.dim()):
            summed = wide.sum(axis, keepdim=True)
            aligned = summed if summed.shape == observed.shape else align(summed, observed.shape)
            if aligned is None or case.same(aligned, edge.term):
                continue
            weight = case.weight(observed, aligned)
            if weight is not None and named(weight, case, (edge,)):
                factor = described(weight, case, (edge,))
                repair = replaced(case, aligned * weight, edge.term)
                yield Finding(Code.WRONG_AXIS, "sum_and_factor", step, repair, factor=factor, **values)
                return


def _observed(case: Case, edge: Edge) -> Tensor | None:
    """Return what an answer has of one use, with the other uses taken off; None if its shape does not fit them."""
    if edge.share is case.right:
        return case.answer
    try:
        return case.answer - (case.right - edge.share)
    except RuntimeError:
        return None


def sum_before_product(case: Case) -> Iterator[Finding]:
    """Find a sum that is taken of the upstream gradient, of its factor, or of both, before they are multiplied."""
    for edge in case.direct:
        played = case.altered.stretched(edge.step.name, edge.read)
        if played is None:
            continue
        upstream, shape = edge.upstream, edge.term.shape
        local = back(played, upstream.new_ones(upstream.shape))[edge.read]
        if local.shape != upstream.shape or not case.same(back(played, upstream)[edge.read], local * upstream):
            continue
        if len(shape) != upstream.dim() or is_uniform(local):
            continue  # without a factor there is no product
        sums = (upstream.sum_to_size(shape), local.sum_to_size(shape))
        for candidate in (sums[0] * sums[1], sums[0] * local, upstream * sums[1]):
            for observed in (edge.observed, case.answer):
                if not case.same(edge.term, candidate) and case.same(observed, candidate):
                    repair = replaced(case, candidate, edge.term)
                    yield Finding(Code.WRONG_AXIS, "sum_before_product", edge.step.name, repair, read=edge.read)
                    axis = next((axis for axis, length in enumerate(candidate.shape) if shape[axis] != length), None)
                    if axis is not None:  # only a factor was summed
                        shapes: dict[str, Any] = {"shape": list(candidate.shape), "right": list(shape), "axis": axis}
                        yield Finding(Code.NOT_REDUCED, "axis", edge.step.name, repair, **shapes)
                    return


def added_before_the_sum(case: Case) -> Iterator[Finding]:
    """Find the sum of ``u + f`` where that of ``u * f`` belongs: the upstream gradient and its factor."""
    for edge in case.direct:
        played = case.altered.stretched(edge.step.name, edge.read)
        if played is None or edge.observed.shape != edge.term.shape:
            continue
        upstream = edge.upstream
        local = back(played, upstream.new_ones(upstream.shape))[edge.read]
        if local.shape != upstream.shape or is_uniform(local):
            continue
        totals = upstream.sum_to_size(edge.term.shape), local.sum_to_size(edge.term.shape)
        for form, stands in (("plus", totals[0] + totals[1]), ("minus", totals[0] - totals[1])):
            if case.same(edge.observed, stands) and not case.same(stands, totals[1]):
                repair = replaced(case, stands, edge.term)
                yield Finding(Code.MISSING_LOCAL, form, edge.step.name, repair, other="its factor")
                return


def slice_times_count(case: Case) -> Iterator[Finding]:
    """Find one contribution times how many there are, in place of their sum."""
    for edge in case.direct:
        wide = _wide(case, edge)
        if wide is None or wide.dim() != 2 or edge.observed.numel() < SLICES_MIN:
            continue
        for axis, length in enumerate(wide.shape):
            kept = wide.movedim(axis, 0) * length
            if length == 1 or kept[0].numel() != edge.observed.numel():
                continue
            nearest = int((kept - edge.observed.reshape(kept[0].shape)).abs().sum(1).argmin())
            stands = kept[nearest].reshape(edge.observed.shape)
            if case.same(edge.observed, stands):
                values: dict[str, Any] = {"wide": list(wide.shape), "narrow": list(edge.term.shape), "read": edge.read}
                repair = replaced(case, stands, edge.term.reshape(stands.shape))
                yield Finding(
                    Code.NOT_REDUCED, "count_for_sum", edge.step.name, repair, kept=nearest, length=length, **values
                )
                return


def one_of_each(case: Case) -> Iterator[Finding]:
    """Find one contribution of each row or column where the sum of all belongs."""
    for edge in case.direct:
        wide = _wide(case, edge)
        if wide is None or wide.dim() != edge.observed.dim() or edge.observed.numel() < SLICES_MIN:
            continue
        for axis, length in enumerate(wide.shape):
            if edge.observed.shape[axis] != 1 or edge.observed.shape != wide.narrow(axis, 0, 1).shape:
                continue
            nearest = (wide - edge.observed).abs().argmin(axis, keepdim=True)
            kept = wide.gather(axis, nearest)
            if case.same(edge.observed, kept):
                yield Finding(
                    Code.MISSING_TERM,
                    "one_of_each",
                    edge.step.name,
                    replaced(case, kept, edge.term),
                    read=edge.read,
                    wide=list(wide.shape),
                    narrow=list(edge.term.shape),
                    length=length,
                )
                return


def reshaped_operands(case: Case) -> Iterator[Finding]:
    """Find a matrix that went into a product reshaped, where it must be transposed."""
    if not case.same_shape:
        return
    for edge in case.direct:
        step, upstream = edge.step, edge.upstream
        if not edge.term.dim() == upstream.dim() == 2 or edge.term.shape == upstream.shape:
            continue  # no product of matrices
        reshaped = _reshaped(upstream)
        if edge.may_come_from(reshaped):
            turned = back(step, reshaped)[edge.read]
            if not case.same(edge.term, turned) and case.same(edge.observed, turned):
                yield Finding(Code.TRANSPOSED, "upstream_reshaped", step.name, replaced(case, turned, edge.term))
                return
        for operand, value in step.reads.items():
            if operand == edge.read or value.dim() != 2:
                continue
            played = case.altered.substituted(step.name, operand, _reshaped(value.detach()))
            if played is None or played.output.shape != upstream.shape:
                continue
            turned = back(played, upstream)[edge.read]
            if not case.same(edge.term, turned) and case.same(edge.observed, turned):
                repair = replaced(case, turned, edge.term)
                yield Finding(Code.TRANSPOSED, "operand_reshaped", step.name, repair, other=operand)
                return


def _wide(case: Case, edge: Edge) -> Tensor | None:
    """Return the edge's term before its sum; None if the line does not stretch the tensor."""
    played = case.altered.stretched(edge.step.name, edge.read)
    return None if played is None else back(played, edge.upstream)[edge.read]


def _reshaped(matrix: Tensor) -> Tensor:
    """Return what a line has in effect that reshapes a matrix to its turned shape, and does not turn it."""
    return matrix.reshape(matrix.mT.shape).mT.contiguous()
