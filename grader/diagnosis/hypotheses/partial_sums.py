"""A part of a sum: some of the upstream gradient did not go into the answer."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

from exercises.tape import Step
from grader.diagnosis.case import NEAR, Case, Edge
from grader.diagnosis.codes import Code, Finding
from grader.diagnosis.repair import replaced
from grader.reference.backward import back
from grader.rounding.closeness import is_uniform

STEPS_UP_MAX = 2  # to the next gradient above that is a sum
ALL_CHOICES_SLICES_MAX = 8  # with more slices, only likely choices of them are tried
CHOICE_ELEMENTS_MIN = 8  # no choice of slices fits this many elements by chance


def of_upstream(case: Case) -> Iterator[Finding]:
    """Find one term of an upstream gradient that is itself a sum."""
    if is_uniform(case.answer):  # one number everywhere comes about in many ways
        return
    for edge in case.edges:
        for name, through, upstream in _parts_of_upstream(case, edge):
            if not edge.may_come_from(upstream):
                continue
            arrived = case.arrives(edge, back(edge.step, upstream)[edge.read])
            if arrived is not None and not case.same(edge.share, arrived) and case.same(edge.observed, arrived):
                repair = replaced(case, arrived, edge.share)
                values: dict[str, Any] = {"whole": name, "through": through, "uses": case.uses(name)}
                yield Finding(Code.MISSING_TERM, "part_of_the_upstream", [name], repair, **values)
                return


def _parts_of_upstream(case: Case, edge: Edge) -> Iterator[tuple[str, str, Tensor]]:
    """Yield the terms of the next gradient above that is a sum: its name, the step of the term, the upstream it gives.

    The steps between that gradient and the edge have one use each.
    """
    between: list[Step] = []
    name = edge.step.name
    for _ in range(STEPS_UP_MAX):
        flows = case.replay.consumers(name)
        if len(flows) != 1:
            break
        between.append(flows[0].step)
        name = flows[0].step.name
    else:
        return
    for flow in flows:
        gradient = flow.terms[name]
        below = [edge.step, *between]
        for step, read in zip(reversed(between), reversed(below[:-1]), strict=True):
            gradient = back(step, gradient)[read.name]
        yield name, flow.step.name, gradient


def of_an_axis(case: Case) -> Iterator[Finding]:
    """Find some slices of the upstream gradient, such as all but the first example of a minibatch."""
    if not case.same_shape or case.right.numel() < CHOICE_ELEMENTS_MIN:
        return
    for edge in case.direct:
        if edge.adjoint is None or edge.term.shape == edge.upstream.shape:  # each slice has its own elements
            continue
        for axis, length in enumerate(edge.upstream.shape):
            kept = _kept(case, edge, axis) if length > 1 else None
            if kept is not None:
                yield from _incomplete(case, edge, axis, kept)
                return


def _kept(case: Case, edge: Edge, axis: int) -> list[int] | None:
    """Return which slices of the upstream gradient give the answer; None if no likely choice of them does."""
    assert edge.adjoint is not None
    length = edge.upstream.shape[axis]
    choices = _choices(length)
    products = (edge.adjoint * edge.upstream).movedim(axis, 0).reshape(length, -1).sum(1)
    difference = (choices @ products - edge.square_norm).abs()
    nearest = int(difference.argmin())
    if not float(difference[nearest]) <= NEAR * edge.square_norm:
        return None
    kept: list[int] = choices[nearest].nonzero().flatten().tolist()
    if not case.same(edge.observed, back(edge.step, edge.upstream * _chosen(edge, axis, kept))[edge.read]):
        return None
    return kept


@lru_cache(maxsize=32)
def _choices(length: int) -> Tensor:
    """Return likely choices of ``length`` slices, shape (choices, length), of zeros and ones.

    Few slices: every choice. More: one slice, all but one, the first few, the last few.
    """
    if length <= ALL_CHOICES_SLICES_MAX:
        return torch.cartesian_prod(*[torch.tensor([0.0, 1.0])] * length)[1:-1]
    one, first = torch.eye(length), torch.ones(length, length).tril()[:-1]
    return torch.cat([one, 1 - one, first, 1 - first])


def _incomplete(case: Case, edge: Edge, axis: int, kept: list[int]) -> Iterator[Finding]:
    step, length = edge.step.name, edge.upstream.shape[axis]
    repair = replaced(case, back(edge.step, edge.upstream * _chosen(edge, axis, kept))[edge.read], edge.share)
    if len(kept) > 1:
        missing = [index for index in range(length) if index not in kept]
        yield Finding(Code.MISSING_TERM, "slices", step, repair, axis=axis, missing=missing)
        return
    # The last slice alone: a loop assigned, or it never reached the others. The numbers are the same.
    code = Code.OVERWRITTEN if kept[0] == length - 1 else Code.NOT_REDUCED
    for each in (code, Code.MISSING_TERM):
        yield Finding(each, "one_slice", step, repair, axis=axis, length=length, kept=kept[0])


def _chosen(edge: Edge, axis: int, kept: list[int]) -> Tensor:
    """Return ones at the slices of the upstream gradient that are kept, zeros elsewhere; it broadcasts to it."""
    chosen = torch.zeros(edge.upstream.shape[axis])
    chosen[kept] = 1
    return chosen.reshape([-1] + [1] * (edge.upstream.dim() - axis - 1))
