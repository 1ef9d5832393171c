"""Right numbers at some positions, and none, or others, elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from grader.diagnosis.case import Bundle, Case, Edge
from grader.diagnosis.codes import Code, Finding
from grader.diagnosis.repair import replaced
from grader.reference.backward import back
from grader.rounding.closeness import NOISE, RELATIVE

SPARSE = 0.25  # of the elements are not zero, at most, where numbers are looked for at other places


def spilled(case: Case) -> Iterator[Finding]:
    """Find an answer that is right wherever the right gradient is not zero, and not zero elsewhere."""
    if not case.same_shape:
        return
    for bundle in case.bundles:
        reached = bundle.share != 0
        if bool(reached.all()) or not case.same(bundle.observed * reached, bundle.share):
            continue
        spilled_over = bundle.observed * ~reached
        where = _nonzero(case, spilled_over)
        if not case.is_whole(bundle.share) and not _are_among(case, spilled_over[where], bundle.share[reached]):
            continue  # whatever is wrong there, nothing says that it came by this path
        edge = bundle.edges[0]
        repair = case.answer - spilled_over
        values: dict[str, Any] = {"read": edge.read, "wrong": int(where.sum())}
        form = "should_be_zero" if _never_depends(bundle, reached) else "zero_above"
        yield Finding(Code.MISSING_LOCAL, form, edge.step.name, repair, **values)
        return


def unfilled(case: Case) -> Iterator[Finding]:
    """Find an answer that is right wherever it is not zero, and zero where it should not be."""
    if not case.same_shape:
        return
    for bundle in case.bundles:
        filled = _nonzero(case, bundle.observed)
        if not case.same(bundle.observed, bundle.share * filled):
            continue
        missing = int((~filled & _nonzero(case, bundle.share)).sum())
        form = "elements" if case.is_whole(bundle.share) else "elements_of_a_term"
        repair = case.answer + bundle.share * ~filled
        yield Finding(Code.MISSING_TERM, form, bundle.edges[0].step.name, repair, missing=missing)
        return


def misplaced(case: Case) -> Iterator[Finding]:
    """Find the right numbers at wrong positions, where the right gradient is zero nearly everywhere."""
    if not case.same_shape:
        return
    for bundle in case.bundles:
        share, observed = bundle.share, bundle.observed
        reached, filled = share != 0, _nonzero(case, observed)
        if not 1 < int(reached.sum()) == int(filled.sum()) <= share.numel() // 2:
            continue
        have, want = observed[filled].sort(), share[reached].sort()
        if case.same(have.values, want.values):
            edge = bundle.edges[0]
            wrong = int((filled & ~reached).sum())
            repair = case.answer - _moved(observed, filled, have.values, have.indices)
            repair = repair + _moved(share, reached, have.values, want.indices)
            form = "wrong_positions" if case.is_whole(share) else "wrong_positions_of_a_term"
            values: dict[str, Any] = {"read": edge.read, "wrong": wrong, "part": case.called(edge)}
            yield Finding(Code.MISSING_LOCAL, form, edge.step.name, repair, **values)
            return


def other_places(case: Case) -> Iterator[Finding]:
    """Find a gradient that is zero nearly everywhere filled in at some right elements and at some wrong ones."""
    if not case.same_shape or case.is_stretched:
        return
    reached, filled = case.right != 0, _nonzero(case, case.answer)
    both = reached & filled
    wrong, missing = int((filled & ~reached).sum()), int((reached & ~filled).sum())
    if not wrong or not missing or int(reached.sum()) > SPARSE * reached.numel() or bool((case.answer[~filled]).any()):
        return
    others = case.answer[filled & ~reached]
    if case.same(case.answer * both, case.right * both) or (
        not both.any() and _are_among(case, others, case.right[reached])
    ):
        at = case.direct[0].step.name
        yield Finding(Code.MISSING_LOCAL, "other_places", at, read=case.name, wrong=wrong, missing=missing)


def other_indices(case: Case) -> Iterator[Finding]:
    """Find the contributions of a lookup added where other indices point, or those of a neighbour."""
    if not case.same_shape or case.is_stretched:
        return
    for edge in case.direct:
        rows, upstream = _looked_up(case, edge), edge.upstream
        if rows is None:
            continue
        for axis in range(rows.dim()):
            for shift in (1, -1):
                added = _added_at(edge.observed, rows, upstream.roll(shift, axis))
                if case.same(edge.observed, added):
                    repair = replaced(case, added, edge.share)
                    values: dict[str, Any] = {"read": edge.read, "axis": axis, "other": f"d{edge.step.name}"}
                    yield Finding(Code.MISSING_LOCAL, "neighbour", edge.step.name, repair, **values)
                    return
        for name, value in case.values.items():
            if value.is_floating_point() or not value.dim() or value.shape != rows.shape[: value.dim()]:
                continue
            indices = value.reshape(*value.shape, *[1] * (rows.dim() - value.dim())).expand(rows.shape)
            if torch.equal(indices, rows) or int(indices.max()) >= edge.observed.shape[0] or int(indices.min()) < 0:
                continue
            added = _added_at(edge.observed, indices, upstream)
            if case.same(edge.observed, added):
                repair = replaced(case, added, edge.share)
                yield Finding(Code.MISSING_LOCAL, "other_indices", edge.step.name, repair, read=edge.read, other=name)
                return


def misread_indices(case: Case) -> Iterator[Finding]:
    """Find the contributions of a lookup added up with one index for many, or in another order."""
    if not case.same_shape or case.is_stretched:
        return
    for edge in case.direct:
        rows, upstream = _looked_up(case, edge), edge.upstream
        if rows is None:
            continue
        indices = next((name for name, value in case.values.items() if torch.equal(value, rows)), None)
        if indices is None:
            continue
        for form, axis, kept, where, what in _misread(rows, upstream):
            added = _added_at(edge.observed, where, what)
            if case.same(edge.observed, added) and not case.same(edge.share, added):
                repair = replaced(case, added, edge.share)
                values: dict[str, Any] = {"read": edge.read, "other": indices, "axis": axis, "kept": kept}
                yield Finding(Code.MISSING_LOCAL, form, edge.step.name, repair, **values)
                return


def _looked_up(case: Case, edge: Edge) -> Tensor | None:
    """Return the rows of a matrix that a line looked up; None if it did not take whole rows."""
    positions = case.altered.positions(edge.step.name, edge.read)
    if positions is None or edge.upstream.shape != edge.step.output.shape or edge.observed.dim() != 2:
        return None
    width = edge.observed.shape[1]
    if edge.upstream.shape[-1:] != (width,):  # gather and unfold take single elements
        return None
    positions = positions.reshape(edge.upstream.shape)
    rows = positions[..., 0] // width
    is_whole = torch.equal(positions, rows[..., None] * width + torch.arange(width))
    return rows if is_whole else None


def _misread(rows: Tensor, upstream: Tensor) -> Iterator[tuple[str, int, int, Tensor, Tensor]]:
    """Yield a form, its axis and slice, and the indices and contributions that a student's line may have."""
    for axis, length in enumerate(rows.shape):
        for kept in {0, length - 1}:
            yield "indices_of_one_slice", axis, kept, rows.narrow(axis, kept, 1).expand(rows.shape), upstream
            yield "slice_for_all", axis, kept, rows, upstream.narrow(axis, kept, 1).expand(upstream.shape)
    if rows.dim() == 2:
        yield "indices_in_another_order", 0, 0, rows.T, upstream


def _added_at(like: Tensor, rows: Tensor, upstream: Tensor) -> Tensor:
    """Return the contributions of ``upstream`` added up at some rows."""
    return torch.zeros_like(like).index_add_(0, rows.reshape(-1), upstream.reshape(-1, like.shape[1]))


def _moved(like: Tensor, where: Tensor, values: Tensor, order: Tensor) -> Tensor:
    """Return zeros with sorted values put where they belong: ``order`` are their places among those of ``where``."""
    placed = torch.empty_like(values)
    placed[order] = values
    moved = torch.zeros_like(like)
    moved[where] = placed
    return moved


def _are_among(case: Case, values: Tensor, others: Tensor) -> bool:
    """Whether each value is one of the others but for rounding."""
    ordered = others.sort().values
    above = torch.searchsorted(ordered, values).clamp(max=ordered.numel() - 1)
    nearest = torch.minimum((values - ordered[above]).abs(), (values - ordered[(above - 1).clamp(min=0)]).abs())
    return bool((nearest <= RELATIVE * values.abs() + NOISE * case.size).all())


def _never_depends(bundle: Bundle, reached: Tensor) -> bool:
    """Whether the line gives nothing outside ``reached``, whatever the upstream gradient is."""
    edge = bundle.edges[0]
    if edge.share is not edge.term:
        return False
    anything = torch.randn(edge.step.output.shape, generator=torch.Generator().manual_seed(1))
    return not bool((back(edge.step, anything)[edge.read] * ~reached).any())


def _nonzero(case: Case, observed: Tensor) -> Tensor:
    """Return where there is more than rounding noise, as a tensor of booleans."""
    return observed.abs() > NOISE * case.size
