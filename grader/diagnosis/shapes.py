"""Right numbers in the wrong place: turned over, not summed, summed along another axis."""

from __future__ import annotations

import math
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
OVERDETERMINED = 3  # elements to each number that is fitted


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
    if not _alike(answer.max(), right.max()) or not _alike(answer.min(), right.min()):
        return
    ours, theirs = answer.reshape(-1).sort().values, right.reshape(-1).sort().values
    if case.same(ours, theirs) and int((theirs.diff() != 0).sum()) > theirs.numel() // 2:
        yield from _shuffled(case)


def not_reduced(case: Case) -> Iterator[Diagnosis]:
    """A broadcast tensor's gradient before the sum, or summed along the wrong axes."""
    for edge in case.edges:
        yield from _summed(case, edge)


def unsummed(case: Case) -> Iterator[Diagnosis]:
    """The right gradient with an axis more, along which it was to be summed; or on a diagonal."""
    answer, right = case.answer, case.right
    if not answer.numel() > right.numel() or answer.dim() > MOST_AXES:
        return
    for axis in range(answer.dim()):
        summed = answer.sum(axis)
        if summed.numel() == right.numel() and case.same(summed.reshape(right.shape), right):
            yield Diagnosis(
                "not_reduced",
                (
                    f"Your gradient has {_shape(answer)}, and {case.name} has {_shape(right)}: axis {axis} is still "
                    "to be summed.",
                    look(case, *case.uses(case.name)),
                    "What is used many times collects a gradient from each use; a product of matrices sums as well.",
                ),
            )
            return
    square = answer.dim() == 2 and answer.shape[0] == answer.shape[1] == right.numel()
    if square and case.same(answer.diagonal().reshape(right.shape), right):
        yield Diagnosis(
            "wrong_axis",
            (
                f"The right numbers are the diagonal of your gradient, which has {_shape(answer)}.",
                look(case, *case.uses(case.name)),
                "A product of matrices takes every row with every column. Which pairs belong together here?",
            ),
        )


def summed_needlessly(case: Case) -> Iterator[Diagnosis]:
    """A term, or the upstream gradient that goes into it, summed along an axis along which nothing was stretched."""
    if not case.same_shape:
        return
    for edge in case.edges:
        for late, gradient in ((True, edge.term), (False, edge.upstream)):
            for axis, length in enumerate(gradient.shape):
                if length == 1:
                    continue
                stretched = gradient.sum(axis, keepdim=True).expand(gradient.shape)
                if not late and not edge.may_come_from(stretched, (1, 1 / length)):
                    continue
                arrived = case.arrives(edge, stretched if late else back(edge.step, stretched)[edge.read])
                weight = case.weight(edge.found, arrived)
                if weight is not None and any(abs(weight * each - 1) < 1e-4 for each in (1, length)):
                    yield _summed_needlessly(case, edge, axis, late)
                    return


def _summed_needlessly(case: Case, edge: Edge, axis: int, late: bool) -> Diagnosis:
    step = edge.step.name
    what = f"The term that comes to {edge.read} through {step} is" if late else f"d{step} is, before it is used,"
    return Diagnosis(
        "wrong_axis",
        (
            f"{what} summed or averaged along axis {axis}; each of its elements belongs to an element of its own.",
            look(case, step),
            "Sum only where the forward pass stretched or repeated something, and after multiplying.",
        ),
    )


def summed_otherwise(case: Case) -> Iterator[Diagnosis]:
    """A share off by a factor for each row over one for each column: a sum along the other axis went into it."""
    if not case.same_shape or case.right.dim() != 2 or min(case.right.shape) < 2:
        return
    for bundle in case.bundles:
        share, found = bundle.share, bundle.found
        pivot = share[share.abs().sum(1).argmax()]
        if not bool(pivot.all()) or int((share != 0).sum()) < OVERDETERMINED * sum(share.shape):
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
    arrived = case.arrives(edge, candidate)
    if case.same(edge.found, arrived):
        return True
    if arrived is None:
        return False
    if edge.found.shape == arrived.shape != case.right.shape and not case.matters(edge.found):
        return not case.matters(arrived)  # a sum in which everything cancels is told by its shape
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


def _alike(one: Tensor, other: Tensor) -> bool:
    return math.isclose(one, other, rel_tol=1e-3, abs_tol=1e-12)


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
