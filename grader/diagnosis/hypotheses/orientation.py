"""The right numbers the wrong way round: flipped, with their pieces exchanged, or stretched along another axis."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations
from typing import Any, Final

import torch
from torch import Tensor

from grader.diagnosis.case import Case, Edge
from grader.diagnosis.codes import Code, Finding
from grader.diagnosis.repair import replaced
from grader.reference.backward import back
from grader.rounding.closeness import broadcasts_to, is_uniform

FLIPPED_MIN: Final = 3  # slices; two exchanged ones are pieces that changed places
PIECES_MAX: Final = 4
ALIKE: Final = 1e-3  # relative, of the sums of absolute values
WINDOWS: Final = frozenset({"ConvolutionBackward0", "UnfoldBackward0"})


def pieces_exchanged(case: Case) -> Iterator[Finding]:
    """Find the right pieces, put together in another order: ``torch.cat((dk, dq, dv))``."""
    if not case.same_shape or case.is_stretched or case.right.numel() < 2 or not _may_be_rearranged(case):
        return
    for axis, length in enumerate(case.right.shape):
        for count in range(2, min(PIECES_MAX, length) + 1):
            if length % count:
                continue
            size = length // count
            right = case.right.unflatten(axis, (count, size))
            for order in list(permutations(range(count)))[1:]:
                turned = right.index_select(axis, torch.tensor(order)).flatten(axis, axis + 1)
                if case.same(case.answer, turned) and not case.same(case.right, turned):
                    mended = case.answer.unflatten(axis, (count, size)).index_select(
                        axis, torch.tensor(order).argsort()
                    )
                    yield _exchanged(case, axis, order, mended.flatten(axis, axis + 1))
                    return


def _may_be_rearranged(case: Case) -> bool:
    """Whether the numbers of an answer may be the right ones in another order: one sum rules out most answers."""
    have, want = float(case.answer.abs().sum()), float(case.right.abs().sum())
    return abs(have - want) <= ALIKE * want


def _exchanged(case: Case, axis: int, order: tuple[int, ...], repair: Tensor) -> Finding:
    """Return the finding; a piece has the name of the step that alone reads it."""
    names = [_reader(case, axis, number, len(order)) for number in range(len(order))]
    if len(set(names) - {None}) < len(order):
        values: dict[str, Any] = {"axis": axis, "count": len(order), "order": [str(each) for each in order]}
        return Finding(Code.SWAPPED, "pieces", case.uses(case.name), repair, **values)
    have = [f"d{names[each]}" for each in order]
    want = [f"d{name}" for name in names]
    return Finding(Code.SWAPPED, "named_pieces", case.uses(case.name), repair, axis=axis, have=have, want=want)


def _reader(case: Case, axis: int, number: int, count: int) -> str | None:
    """Return the step that reads one piece of the answer's tensor and no other; None if there is none."""
    size = case.right.shape[axis] // count
    for edge in case.direct:
        reached = edge.term.movedim(axis, 0).unflatten(0, (count, size)).flatten(1).any(1)
        if reached.nonzero().flatten().tolist() == [number]:
            return edge.step.name
    return None


def flipped(case: Case) -> Iterator[Finding]:
    """Find a window that runs backwards: the answer, a gradient or an operand back to front along an axis."""
    if case.same_shape and not case.is_stretched and _may_be_rearranged(case):
        for axis in _long(case.right):
            if case.same(case.answer, case.right.flip(axis)):
                yield Finding(Code.TRANSPOSED, "flipped", case.uses(case.name), case.answer.flip(axis), axis=axis)
                return
    for edge in case.direct:
        if not case.altered.nodes(edge.step.name) & WINDOWS:
            continue
        for other, axis, term in _flipped_terms(case, edge):
            if term.shape == edge.observed.shape and case.same(edge.observed, term):
                repair = replaced(case, term, edge.share)
                form = "flipped_upstream" if other is None else "flipped_operand"
                yield Finding(Code.TRANSPOSED, form, edge.step.name, repair, axis=axis, other=other)
                return


def _flipped_terms(case: Case, edge: Edge) -> Iterator[tuple[str | None, int, Tensor]]:
    """Yield an operand, None for the upstream gradient, an axis, and the term with it flipped along that axis."""
    step = edge.step
    for axis in _long(edge.upstream):
        turned = edge.upstream.flip(axis)
        if edge.may_come_from(turned):
            yield None, axis, back(step, turned)[edge.read]
    for other, value in step.reads.items():
        if other == edge.read and len(step.reads) > 1:
            continue
        for axis in _long(value):
            played = case.altered.substituted(step.name, other, value.detach().flip(axis))
            if played is not None:
                yield other, axis, back(played, edge.upstream)[edge.read]


def _long(tensor: Tensor) -> list[int]:
    return [axis for axis, length in enumerate(tensor.shape) if length >= FLIPPED_MIN]


def stretched_along_another_axis(case: Case) -> Iterator[Finding]:
    """Find a gradient, or a factor of the line, with an axis less than it is multiplied with, at the wrong place."""
    if not case.same_shape or case.is_stretched:
        return
    for edge in case.direct:
        upstream, shape = edge.upstream, edge.term.shape
        if 0 < upstream.dim() < len(shape) and broadcasts_to(upstream.shape, shape):
            local = case.altered.term_without_upstream(edge.step.name, edge.read, value=False)
            term = float(local.reshape(-1)[0]) * upstream.expand(shape)
            if is_uniform(local) and not case.same(edge.share, term) and case.same(edge.observed, term):
                repair = replaced(case, term, edge.share)
                yield Finding(Code.WRONG_AXIS, "stretched_upstream", edge.step.name, repair, shape=list(shape))
                return
        factor = case.altered.factor(edge.step.name, edge.read)
        if factor is None or upstream.shape != shape:
            continue
        for other, operand in edge.step.reads.items():
            value = operand.detach()
            if not 0 < value.dim() < len(shape) or not broadcasts_to(value.shape, shape):
                continue
            term = value.expand(shape) * upstream
            if _is_placed_elsewhere(value, factor) and case.same(edge.observed, term):
                repair = replaced(case, term, edge.share)
                values: dict[str, Any] = {"other": other, "shape": list(shape)}
                yield Finding(Code.WRONG_AXIS, "stretched_operand", edge.step.name, repair, **values)
                return


def _is_placed_elsewhere(value: Tensor, factor: Tensor) -> bool:
    """Whether the factor of a line is this tensor, stretched along an axis before its last one."""
    if torch.equal(value.expand(factor.shape), factor):
        return False
    return any(
        broadcasts_to(placed.shape, factor.shape) and torch.equal(placed.expand(factor.shape), factor)
        for placed in (value.unsqueeze(axis) for axis in range(1, value.dim() + 1))
    )
