"""Terms of the sum: one left out, counted twice, with the wrong sign, or with a wrong factor.

Each of these multiplies a share of the gradient by a number. So one least-squares fit for each share finds them all,
and the number says which it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import torch

from grader.diagnosis.case import Case, Edge
from grader.diagnosis.codes import Code, Finding
from grader.diagnosis.factors import described, named
from grader.rounding import close

SHARES_MAX = 6
TWO_SHARES_ELEMENTS_MIN = 8  # two numbers do not fit this many elements by chance
REMAINDER = 0.05  # of a missing share, next to the share itself


def zero(case: Case) -> Iterator[Finding]:
    """Find an answer that is zero everywhere, or only rounding noise, where the right gradient is not."""
    if not case.same_shape or case.matters(case.answer):
        return
    uses = case.uses(case.name)
    through = [edge.step.name for edge in case.direct if close(case.answer, edge.share)]
    if case.answer.any() and through:
        others = [use for use in uses if use not in through]
        yield Finding(Code.MISSING_TERM, "next_to_nothing", at=others, through=through)
    elif not case.answer.any():
        form = "nothing_of_the_loss" if uses[0] == "loss" else "nothing"
        yield Finding(Code.MISSING_TERM, form, at=uses[0], uses=uses)
    elif case.replay.handed_in[case.name].numel() < case.right.numel():
        yield Finding(Code.WRONG_AXIS, "cancels", at=uses)
    else:
        yield Finding(Code.UNKNOWN, "cancels", at=uses)


def whole_scaled(case: Case) -> Iterator[Finding]:
    """Find the right gradient times a number."""
    weight = case.weight(case.answer, case.right) if case.same_shape else None
    if weight is None or abs(weight) < 1e-6 or (case.answer.numel() == 1 and named(weight, case, case.edges) is None):
        return
    at = _lines(case)
    if weight < 0:
        yield Finding(Code.SIGN, "numbers" if round(weight, 4) == -1 else "form", at)
    if abs(abs(weight) - 1) > 1e-4:
        form = "whole_and_sign" if weight < 0 else "whole"
        yield Finding(Code.SCALE, form, at, factor=described(weight, case, case.edges))
    if abs(weight - 2) < 1e-4:
        yield Finding(Code.DOUBLE_COUNTED, "whole", at)


def one_share(case: Case) -> Iterator[Finding]:
    """Find one share times a number, 0 if it is missing; all others are right."""
    if not case.same_shape:
        return
    for edge in distinct_shares(case):
        weight = case.weight(edge.observed, edge.share)
        if weight is None and not case.matters(edge.observed) and case.matters(REMAINDER * edge.share):
            weight = 0.0
        if weight is not None and abs(weight - 1) > 1e-4:
            yield from _weighted(case, edge, weight)


def two_shares(case: Case) -> Iterator[Finding]:
    """Find two shares times a number each."""
    if not case.same_shape or case.right.numel() < TWO_SHARES_ELEMENTS_MIN:
        return
    for pair in combinations(distinct_shares(case), 2):
        one, other = pair
        rest = case.right - one.share - other.share
        basis = torch.stack([one.share.reshape(-1), other.share.reshape(-1)], 1).double()
        observed = (case.answer - rest).reshape(-1).double()
        weights = torch.linalg.lstsq(basis, observed.unsqueeze(1)).solution.squeeze(1)
        first, second = weights.tolist()
        if case.same(case.answer, rest + first * one.share + second * other.share):
            for edge, weight in zip(pair, (first, second), strict=True):
                if abs(weight - 1) > 1e-4:
                    yield from _weighted(case, edge, 0.0 if abs(weight) < 1e-4 else weight)
            return


def multiplied(case: Case) -> Iterator[Finding]:
    """Find the product of the terms in place of their sum."""
    edges = distinct_shares(case)
    if case.same_shape and len(edges) == 2 and case.same(case.answer, edges[0].share * edges[1].share):
        uses = case.uses(edges[0].read)
        yield Finding(Code.MISSING_LOCAL, "product_of_paths", at=uses, uses=uses)


def distinct_shares(case: Case) -> list[Edge]:
    """Return one edge for each share of the gradient that is less than the whole.

    Along a chain of steps the same share goes through every edge; the edge at a fork stands for them, since a term is
    forgotten there.
    """
    parts = [bundle for bundle in case.bundles if not case.same(bundle.share, case.right)]
    return [
        next((edge for edge in bundle.edges if len(case.uses(edge.read)) > 1), bundle.edges[0])
        for bundle in parts[:SHARES_MAX]
    ]


def _weighted(case: Case, edge: Edge, weight: float) -> Iterator[Finding]:
    step, read = edge.step.name, edge.read
    if weight == 0:
        uses = case.uses(read)
        if len(uses) > 1:
            others = [use for use in uses if use != step]
            yield Finding(
                Code.MISSING_TERM, "path_of_several", at=step, read=read, count=len(uses), uses=uses, others=others
            )
        else:
            yield Finding(Code.MISSING_TERM, "path", at=step)
        return
    if abs(weight - 2) < 1e-4:
        yield Finding(Code.DOUBLE_COUNTED, "path", at=step, read=read)
    if weight < 0:
        yield Finding(Code.TERM_SIGN, "path", at=step, read=read)
    if abs(abs(weight) - 1) > 1e-4:
        yield Finding(Code.TERM_SCALE, "path", at=step, read=read, factor=described(weight, case, (edge,)))


def _lines(case: Case) -> list[str]:
    """Return the steps right after the answer; none if steps lie in between, which means all lines."""
    return [] if len(case.edges) > len(case.direct) else case.uses(case.name)
