"""Terms of the sum: one left out, taken twice, with the wrong sign, or with the wrong factor.

All of these change a share of the gradient by a number. So one least-squares fit a share tells them all, and
the number says which it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import torch

from grader.compare import Diagnosis
from grader.diagnosis.case import Case, Edge
from grader.diagnosis.factors import described, named
from grader.diagnosis.wording import listed, look, times
from grader.likeness import close

MOST_SHARES = 6
FEW = 8  # elements, which two numbers cannot fit by chance
SMALL = 0.05  # what is left of a share that is missing, next to the share


def nothing(case: Case) -> Iterator[Diagnosis]:
    """Zero everywhere, or what rounding leaves of zero, where the right gradient is not."""
    if not case.same_shape or case.matters(case.answer):
        return
    uses = case.uses(case.name)
    through = [edge.step.name for edge in case.direct if close(case.answer, edge.share)]
    if case.answer.any() and through:
        others = [use for use in uses if use not in through]
        yield Diagnosis(
            "missing_term",
            (
                f"Only what comes through {listed(through)} is in your gradient, and that is next to nothing.",
                look(case, *others),
                "Each use of a tensor adds a term of its own to the gradient: +=, not =.",
            ),
        )
        return
    if not case.answer.any():
        yield Diagnosis(
            "missing_term",
            (
                f"Your gradient is zero everywhere; {case.name} is used in {listed(uses)}, and nothing of that "
                "arrives.",
                look(case, uses[0]),
                f"Start from d{uses[0]}, and ask how much that line's result changes when {case.name} does."
                if uses[0] != "loss"
                else f"Ask how much the loss changes when an element of {case.name} does.",
            ),
        )
        return
    summed = case.carried.given[case.name].numel() < case.right.numel()
    yield Diagnosis(
        "wrong_axis" if summed else "unknown",
        (
            "Your gradient is zero everywhere but for rounding: it holds a sum in which everything cancels.",
            look(case, *uses),
            "Which axis did you sum along, and was anything stretched along it?"
            if summed
            else "Look for a sum that is taken before it should be, or of the wrong product.",
        ),
    )


def whole(case: Case) -> Iterator[Diagnosis]:
    """The right gradient times a number."""
    weight = case.weight(case.answer, case.right) if case.same_shape else None
    if weight is None or abs(weight) < 1e-6 or (case.answer.numel() == 1 and named(weight, case, case.edges) is None):
        return
    if weight < 0:
        yield Diagnosis(
            "sign",
            (
                "The sign is turned around everywhere; but for that "
                + ("every number is right." if round(weight, 4) == -1 else "the gradient has the right form."),
                _lines(case),
                "Count the minus signs on the way down: one for each minus in the line, one for each power of "
                "-1, and the one in the loss.",
            ),
        )
    if abs(abs(weight) - 1) > 1e-4:
        yield _scaled(case, weight)
    if abs(weight - 2) < 1e-4:
        yield Diagnosis(
            "double_counted",
            (
                f"Your gradient is twice what it should be: what arrives at {case.name} is counted twice.",
                _lines(case),
                "Look for a += that runs twice, or for one that adds to what already holds it.",
            ),
        )


def shares(case: Case) -> Iterator[Diagnosis]:
    """All shares but one are right, and that one is there times a number (0: it is missing)."""
    if not case.same_shape:
        return
    for edge in distinct_shares(case):
        weight = case.weight(edge.found, edge.share)
        if weight is None and not case.matters(edge.found) and case.matters(SMALL * edge.share):
            weight = 0.0
        if weight is not None and abs(weight - 1) > 1e-4:
            yield from _weighted(case, edge, weight)


def several_shares(case: Case) -> Iterator[Diagnosis]:
    """Two shares with wrong numbers at once."""
    if not case.same_shape or case.right.numel() < FEW:
        return
    for pair in combinations(distinct_shares(case), 2):
        one, other = pair
        rest = case.right - one.share - other.share
        basis = torch.stack([one.share.reshape(-1), other.share.reshape(-1)], 1).double()
        found = (case.answer - rest).reshape(-1).double()
        weights = torch.linalg.lstsq(basis, found.unsqueeze(1)).solution.squeeze(1)
        first, second = weights.tolist()
        if case.same(case.answer, rest + first * one.share + second * other.share):
            for edge, weight in zip(pair, (first, second), strict=True):
                if abs(weight - 1) > 1e-4:
                    yield from _weighted(case, edge, 0.0 if abs(weight) < 1e-4 else weight)
            return


def multiplied(case: Case) -> Iterator[Diagnosis]:
    """The product of the terms in place of their sum."""
    edges = distinct_shares(case)
    if case.same_shape and len(edges) == 2 and case.same(case.answer, edges[0].share * edges[1].share):
        uses = case.uses(edges[0].read)
        yield Diagnosis(
            "missing_local",
            (
                f"The paths through {listed(uses)} are multiplied with each other.",
                look(case, *uses),
                "Two paths to the loss change it by the sum of what each does.",
            ),
        )


def distinct_shares(case: Case) -> list[Edge]:
    """One edge for each share of the gradient that is less than the whole.

    Along a chain of steps the same share goes through every edge; the edge at a fork stands for them, since
    that is where a term is forgotten.
    """
    parts = [bundle for bundle in case.bundles if not case.same(bundle.share, case.right)]
    return [
        next((edge for edge in bundle.edges if len(case.uses(edge.read)) > 1), bundle.edges[0])
        for bundle in parts[:MOST_SHARES]
    ]


def _weighted(case: Case, edge: Edge, weight: float) -> Iterator[Diagnosis]:
    step, read = edge.step.name, edge.read
    uses = case.uses(read)
    if weight == 0:
        if len(uses) > 1:
            others = [use for use in uses if use != step]
            kind = (
                f"{read} is used {times(len(uses))}, in {listed(uses)}; your gradient holds only the path "
                f"through {listed(others)}."
            )
        else:
            kind = f"The path through {step} is missing from your gradient."
        yield Diagnosis(
            "missing_term",
            (
                kind,
                look(case, step),
                "Each use of a tensor adds a term of its own to the gradient: +=, not =.",
            ),
        )
        return
    if abs(weight - 2) < 1e-4:
        yield Diagnosis(
            "double_counted",
            (
                f"The path from {read} through {step} is counted twice.",
                look(case, step),
                "Each use of a tensor adds its term once; look for a += that runs twice or for a factor of 2.",
            ),
        )
    if weight < 0:
        yield Diagnosis(
            "term_sign",
            (
                f"The term that comes to {read} through {step} has the wrong sign; the rest is right.",
                look(case, step),
                f"Does {step} grow or shrink when {read} grows?",
            ),
        )
    if abs(abs(weight) - 1) > 1e-4:
        yield Diagnosis(
            "term_scale",
            (
                f"The term that comes to {read} through {step} is off by a factor of "
                f"{described(weight, case, (edge,))}; the rest is right.",
                look(case, step),
                "Derive that line alone once more, its constant factors included.",
            ),
        )


def _scaled(case: Case, weight: float) -> Diagnosis:
    return Diagnosis(
        "scale",
        (
            f"Every number is off by the same factor: your gradient is {described(weight, case, case.edges)} "
            "times what it should be" + (", apart from the sign." if weight < 0 else "."),
            _lines(case),
            "Look for a constant factor that was left out, put in twice, or turned upside down; a mean divides "
            "by how many it averages.",
        ),
    )


def _lines(case: Case) -> str:
    """Where to look when the whole gradient is off: the lines right after, or the whole of them."""
    if len(case.edges) > len(case.direct):
        return f"Look at all lines from {case.name} on; the factor belongs to every path through them."
    uses = case.uses(case.name)
    return look(case, *uses)
