"""A part of a sum: some of the upstream gradient did not go into the answer."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import torch
from torch import Tensor

from grader.diagnosis.case import NEAR, Case, Edge
from grader.diagnosis.codes import Code, Finding
from grader.reference import back

ALL_CHOICES_SLICES_MAX = 8  # with more slices, only likely choices of them are tried
CHOICE_ELEMENTS_MIN = 8  # no choice of slices fits this many elements by chance


def of_upstream(case: Case) -> Iterator[Finding]:
    """Find one term of an upstream gradient that is itself a sum."""
    for edge in case.edges:
        step = edge.step
        flows = case.replay.consumers(step.name)
        if len(flows) < 2:
            continue
        for flow in flows:
            if not edge.may_come_from(flow.terms[step.name]):
                continue
            arrived = case.arrives(edge, back(step, flow.terms[step.name])[edge.read])
            if arrived is not None and not case.same(edge.share, arrived) and case.same(edge.observed, arrived):
                uses = case.uses(step.name)
                yield Finding(
                    Code.MISSING_TERM, "part_of_the_upstream", at=step.name, through=flow.step.name, uses=uses
                )
                return


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
                yield from _incomplete(edge, axis, kept)
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
    chosen = choices[nearest].reshape([-1] + [1] * (edge.upstream.dim() - axis - 1))
    if not case.same(edge.observed, back(edge.step, edge.upstream * chosen)[edge.read]):
        return None
    kept: list[int] = choices[nearest].nonzero().flatten().tolist()
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


def _incomplete(edge: Edge, axis: int, kept: list[int]) -> Iterator[Finding]:
    step, length = edge.step.name, edge.upstream.shape[axis]
    if len(kept) > 1:
        missing = [index for index in range(length) if index not in kept]
        yield Finding(Code.MISSING_TERM, "slices", at=step, axis=axis, missing=missing)
        return
    # The last slice alone: a loop assigned, or it never reached the others. The numbers are the same.
    code = Code.OVERWRITTEN if kept[0] == length - 1 else Code.NOT_REDUCED
    for each in (code, Code.MISSING_TERM):
        yield Finding(each, "one_slice", at=step, axis=axis, length=length, kept=kept[0])
