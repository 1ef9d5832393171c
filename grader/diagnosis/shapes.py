"""Right numbers in the wrong place: turned over, not summed, summed along another axis."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations

import torch
from torch import Tensor

from grader.compare import Diagnosis
from grader.diagnosis.case import Case, Edge
from grader.diagnosis.wording import look
from grader.reference import back

MOST_AXES = 4
SWEEPS = 3


def rearranged(case: Case) -> Iterator[Diagnosis]:
    """All the right numbers, in another order or shape."""
    answer, right = case.answer, case.right
    if answer.numel() != right.numel() or answer.numel() < 2:
        return
    if answer.dim() == right.dim() <= MOST_AXES:
        for order in permutations(range(answer.dim())):
            if order != tuple(range(answer.dim())) and case.same(answer.permute(order), right):
                yield _turned(case, f"Your gradient is right but for its axes: {_shape(answer)} turned over.")
                return
    if case.same(answer.reshape(right.shape), right):
        if [length for length in answer.shape if length > 1] == [length for length in right.shape if length > 1]:
            yield Diagnosis(
                "wrong_axis",
                (
                    f"The numbers are right, but they lie along another axis: {_shape(answer)} where "
                    f"{_shape(right)} is wanted.",
                    look(case, *case.uses(case.name)),
                    "A sum drops the axis that it sums; keepdim=True keeps it, so that rows stay rows.",
                ),
            )
        else:
            yield from _shuffled(case)
        return
    ours, theirs = answer.reshape(-1).sort().values, right.reshape(-1).sort().values
    if case.same(ours, theirs) and int((theirs.diff() != 0).sum()) > theirs.numel() // 2:
        yield from _shuffled(case)


def not_reduced(case: Case) -> Iterator[Diagnosis]:
    """A broadcast tensor's gradient before the sum, or summed along the wrong axes."""
    for edge in case.edges:
        yield from _summed(case, edge)


def summed_otherwise(case: Case) -> Iterator[Diagnosis]:
    """A share off by a factor for each row over one for each column: a sum along the other axis went into it."""
    if not case.same_shape or case.right.dim() != 2 or min(case.right.shape) < 2:
        return
    for bundle in case.bundles:
        share, found = bundle.share, bundle.found
        pivot = share[share.abs().sum(1).argmax()]
        if not bool(pivot.all()):
            continue
        columns = found[share.abs().sum(1).argmax()] / pivot
        rows = columns
        for _ in range(SWEEPS):
            rows = _projected(found, share * columns, 1)
            columns = _projected(found, share * rows, 0)
        if case.same(found, share * rows * columns):
            step = bundle.edges[-1].step.name
            yield Diagnosis(
                "wrong_axis",
                (
                    "In a part of your gradient there is one number for each row where there should be one for "
                    "each column, or the other way round: a sum goes along the wrong axis.",
                    look(case, step),
                    "Which elements belong together here, those of a row or those of a column?",
                ),
            )
            return


def turned_operands(case: Case) -> Iterator[Diagnosis]:
    """A square upstream, or a square factor of the line, turned over."""
    for edge in case.edges:
        upstream, step = edge.upstream, edge.step
        if upstream.dim() > 1 and upstream.shape[-1] == upstream.shape[-2] > 1:
            turned = case.arrives(edge, back(step, upstream.mT.contiguous())[edge.read])
            if turned is not None and case.same(edge.found, turned):
                yield _turned(case, f"d{step.name} goes into your gradient turned over.", step.name)
        for other in step.reads:
            played = case.replays.transposed(step.name, other) if other != edge.read else None
            if played is None or played.output.shape != upstream.shape:
                continue
            if case.same(edge.found, case.arrives(edge, back(played, upstream)[edge.read])):
                yield _turned(case, f"{other} goes into your gradient turned the wrong way.", step.name)


def _projected(found: Tensor, onto: Tensor, axis: int) -> Tensor:
    """The factors along an axis with which one tensor comes nearest to the other."""
    square = (onto * onto).sum(axis, keepdim=True)
    return (found * onto).sum(axis, keepdim=True) / torch.where(square == 0, 1.0, square)


def _summed(case: Case, edge: Edge) -> Iterator[Diagnosis]:
    played = case.replays.stretched(edge.step.name, edge.read)
    if played is None:
        return
    wide = back(played, edge.upstream)[edge.read]
    step, read = edge.step.name, edge.read
    if _matches(case, edge, wide):
        yield Diagnosis(
            "not_reduced",
            (
                f"{read} is stretched over every row or column of {step}; your gradient is not summed up again: "
                f"it has {_shape(wide)}, and {read} has {_shape(edge.term)}.",
                look(case, step),
                "One number that is used many times collects a gradient from each use.",
            ),
        )
        return
    for reduced in _other_sums(wide, edge.term):
        if _matches(case, edge, reduced):
            yield Diagnosis(
                "wrong_axis",
                (
                    f"Your gradient of {read} is summed along the wrong axis.",
                    look(case, step),
                    f"Along which axis was {read}, of shape {list(edge.term.shape)}, stretched to "
                    f"{list(wide.shape)}? The sum goes along that one.",
                ),
            )
            return


def _matches(case: Case, edge: Edge, candidate: Tensor) -> bool:
    """Whether the student has this in place of the edge's term, whatever shape that gave."""
    if case.same(edge.found, case.arrives(edge, candidate)):
        return True
    if edge.read != case.name or edge.share is case.right:
        return False
    try:
        return case.same(case.answer, case.right - edge.share + candidate)
    except RuntimeError:
        return False


def _other_sums(wide: Tensor, right: Tensor) -> Iterator[Tensor]:
    """Sums of the gradient along every choice of axes but the right one, with and without the axes kept."""
    axes = range(wide.dim())
    for axis in axes:
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


def _turned(case: Case, kind: str, *steps: str) -> Diagnosis:
    return Diagnosis(
        "transposed",
        (
            kind,
            look(case, *(steps or case.uses(case.name))),
            "Write the shapes under the product: each gradient has its tensor's shape, and only one way of "
            "turning the factors gives it.",
        ),
    )


def _shuffled(case: Case) -> Iterator[Diagnosis]:
    kind = f"All the right numbers are there, but not where they belong: the shape is {list(case.right.shape)}."
    yield _turned(case, kind)
    yield Diagnosis(
        "wrong_axis",
        (
            kind,
            look(case, *case.uses(case.name)),
            "A view only goes back to the shape that it came from; its axes do not change their order.",
        ),
    )


def _shape(tensor: Tensor) -> str:
    return f"shape {list(tensor.shape)}"
