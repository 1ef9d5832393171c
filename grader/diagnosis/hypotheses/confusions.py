"""One tensor taken for another: swapped gradients, two names for one tensor, elements written over."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from grader.diagnosis.case import Case, Edge
from grader.diagnosis.codes import Code, Finding
from grader.diagnosis.repair import replaced
from grader.reference.backward import back
from grader.rounding.closeness import NOISE, RELATIVE, broadcast_shape, close, is_uniform


def aliased(case: Case) -> Iterator[Finding]:
    """Find two names for one tensor: after ``dhprebn = dbndiff`` a ``+=`` on one changes the other."""
    # The step reads x and passes its gradient on unchanged, which suggests dx = dy and then dx += …
    for step in case.reference.cut.steps:
        if step.name != case.name:
            continue
        for read in step.reads:
            other = case.replay.handed_in.get(read)
            if other is None or not torch.equal(other, case.answer):
                continue
            passed_on = case.replay.flows[step.name].terms[read]
            if case.same(case.answer, passed_on) and close(other, _right_below(case, read)):
                added = _right_below(case, read) - case.replay.repaired_terms(step)[read]
                repair = replaced(case, added, torch.zeros_like(added))
                yield Finding(Code.ALIASED, "same_numbers", at=case.name, repair=repair, other=read)


def swapped(case: Case) -> Iterator[Finding]:
    """Find the right gradient of another checkpoint."""
    above = {edge.step.name for edge in case.direct}
    for name in case.replay.handed_in:
        if name == case.name or (name in above and len(case.direct) == 1):
            continue
        right = _right_below(case, name) if name in case.below else case.replay.gradients[name]
        if case.same(case.answer, right):
            uses = case.uses(case.name)
            yield Finding(Code.SWAPPED, "gradient", at=uses, other=name)
            if name in case.below and torch.equal(case.replay.handed_in[name], case.answer):
                yield Finding(Code.ALIASED, "same_numbers_below", at=uses, other=name)
            return


def swapped_upstream(case: Case) -> Iterator[Finding]:
    """Find a right line into which another step's gradient went."""
    yield from _swapped_upstream(case, case.edges)


def swapped_for_a_multiple(case: Case) -> Iterator[Finding]:
    """Find a right line into which a gradient went that is a multiple of the one that belongs there."""
    multiples = [edge for edge in case.edges if case.weight(edge.observed, edge.share) is not None]
    yield from _swapped_upstream(case, multiples)


def _swapped_upstream(case: Case, edges: Sequence[Edge]) -> Iterator[Finding]:
    # The student has those that the exercise gives as well: dy, where the loss is (y * dy).sum().
    given = {name: case.values[f"d{name}"] for name in case.values if f"d{name}" in case.values}
    for edge in edges:
        step = edge.step
        for name, handed_in in {**given, **case.replay.handed_in}.items():
            may_be_alias = name in step.reads and _passes_on(case, step.name, name)
            if name in (step.name, case.name) or (name in case.below and not may_be_alias):
                continue
            if not edge.may_come_from(handed_in):
                continue
            gradient = _as_upstream(handed_in, step.output.shape)
            if gradient is None or not edge.may_come_from(gradient) or is_uniform(gradient):
                continue
            arrived = case.arrives(edge, back(step, gradient)[edge.read])
            if arrived is None or case.same(edge.share, arrived) or not case.same(edge.observed, arrived):
                continue
            repair = replaced(case, arrived, edge.share)
            if may_be_alias:
                yield Finding(Code.ALIASED, "changed_upstream", step.name, repair, other=name)
            yield Finding(Code.SWAPPED, "upstream", step.name, repair, read=edge.read, other=name)
            return


def value_of_another(case: Case) -> Iterator[Finding]:
    """Find another tensor's forward value where the upstream gradient belongs."""
    if is_uniform(case.answer):  # one number everywhere comes about in many ways
        return
    for edge in case.edges:
        step = edge.step
        for name, value in case.values.items():
            if name == step.name or value.shape != step.output.shape or not value.dim():
                continue
            if not edge.may_come_from(value):
                continue
            if any(torch.equal(value, gradient) for gradient in case.reference.gradients.values()):
                continue  # the exercise gives this gradient
            arrived = case.arrives(edge, back(step, value)[edge.read])
            if arrived is not None and case.same(edge.observed, arrived):
                repair = replaced(case, arrived, edge.share)
                yield Finding(Code.MISSING_UPSTREAM, "forward_value", step.name, repair, other=name)
                return


def overwritten(case: Case) -> Iterator[Finding]:
    """Find elements that are read several times and hold only one of their contributions."""
    if not case.same_shape:
        return
    for edge in case.direct:
        step = edge.step.name
        positions = case.altered.positions(step, edge.read)
        if positions is None or edge.upstream.shape != edge.step.output.shape:
            continue
        times = torch.bincount(positions, minlength=edge.observed.numel()).reshape(edge.observed.shape)
        if int(times.max()) < 2:
            continue
        averaged = edge.share / times.clamp(min=1)
        if case.same(edge.observed, averaged):
            yield Finding(Code.SCALE, "averaged", step, replaced(case, averaged, edge.share))
            return
        if _holds_one_each(case, edge, positions, times):
            yield Finding(Code.OVERWRITTEN, "repeated_index", at=step, read=edge.read)
            return
        for kept in _kept_by_loops(edge, positions):
            if case.same(edge.observed, kept):
                repair = replaced(case, kept, edge.share)
                yield Finding(Code.OVERWRITTEN, "repeated_index_in_a_loop", step, repair, read=edge.read)
                return


def _holds_one_each(case: Case, edge: Edge, positions: Tensor, times: Tensor) -> bool:
    """Whether each element holds one of its contributions, and zero if it has none."""
    contributions = edge.upstream.reshape(-1)
    held = edge.observed.reshape(-1)
    noise = RELATIVE * contributions.abs() + NOISE * case.size
    hits = ((held[positions] - contributions).abs() <= noise).to(torch.int64)
    hit = torch.zeros(held.numel(), dtype=torch.int64).index_add_(0, positions, hits)
    return bool(((hit > 0) | ((times.reshape(-1) == 0) & (held == 0))).all())


def _kept_by_loops(edge: Edge, positions: Tensor) -> Iterator[Tensor]:
    """Yield the sum of a loop over each axis, where each turn keeps the last contribution to an element."""
    upstream, size = edge.upstream, edge.observed.numel()
    order = torch.arange(positions.numel())
    for axis, length in enumerate(upstream.shape):
        turn = torch.arange(length).reshape([-1] + [1] * (upstream.dim() - axis - 1)).expand(upstream.shape)
        slot = turn.reshape(-1) * size + positions
        last = torch.zeros(length * size, dtype=torch.int64).scatter_reduce_(0, slot, order, "amax")
        kept = upstream.reshape(-1) * (last[slot] == order)
        yield torch.zeros(size).index_add_(0, positions, kept).reshape(edge.observed.shape)


def _right_below(case: Case, name: str) -> Tensor:
    """Return the gradient of a tensor below the answer as it would be if the answer were right."""
    flow = case.replay.flows.get(case.name)
    if flow is None or name not in flow.terms:
        return case.reference.gradients[name]
    return case.replay.gradients[name] - flow.terms[name] + case.replay.repaired_terms(flow.step)[name]


def _as_upstream(gradient: Tensor, shape: torch.Size) -> Tensor | None:
    """Return a gradient stretched or summed to the shape of a step; None if neither fits."""
    if gradient.shape == shape:
        return gradient
    common = broadcast_shape(gradient.shape, shape)
    if common == shape:
        return gradient.expand(shape)
    return gradient.sum_to_size(shape) if common == gradient.shape else None


def _passes_on(case: Case, step: str, read: str) -> bool:
    """Whether the step passes its gradient on unchanged to ``read``, so that one variable may hold both."""
    flow = case.replay.flows[step]
    return case.same(flow.upstream, flow.terms[read])
