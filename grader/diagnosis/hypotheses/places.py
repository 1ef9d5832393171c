"""A line that reads a tensor at several places: what comes through one of them is left out, or wrong.

``qr = cat((q1 * cos - q2 * sin, q1 * sin + q2 * cos))`` reads ``q1`` twice. The line is played with a leaf of its own
for each place, so that the term of a step comes apart into those of its places.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from exercises.tape import Step
from grader.diagnosis.case import Case, Edge
from grader.diagnosis.codes import Code, Finding
from grader.diagnosis.factors import described, named
from grader.diagnosis.hypotheses.terms import REMAINDER, UNIT
from grader.reference.backward import back


def one_of_a_line(case: Case) -> Iterator[Finding]:
    """Find the term of one place times a number, 0 if it is missing; all others are right."""
    if not case.same_shape or case.is_stretched:
        return
    for edge, played in _taken_apart(case):
        places = _terms(edge, played, edge.upstream)
        for place, term in enumerate(places, 1):
            weight = _weight(case, edge, term)
            if weight is not None:
                yield from _findings(case, edge, place, len(places), term, weight)
                return


def one_without_upstream(case: Case) -> Iterator[Finding]:
    """Find the derivative of one place alone, or the upstream gradient divided by it; all others are right."""
    if not case.same_shape or case.is_stretched:
        return
    for edge, played in _taken_apart(case):
        places = _terms(edge, played, edge.upstream)
        derivatives = _terms(edge, played, torch.ones_like(edge.upstream))
        for place, (term, alone) in enumerate(zip(places, derivatives, strict=True), 1):
            if term.shape != edge.observed.shape or not case.matters(term):
                continue
            observed = edge.observed - (edge.share - term)
            for code, stands in ((Code.MISSING_UPSTREAM, alone), (Code.MISSING_LOCAL, term / alone**2)):
                if stands.isfinite().all() and not case.same(term, stands) and case.same(observed, stands):
                    values: dict[str, Any] = {"read": edge.read, "place": place, "count": len(places)}
                    yield Finding(code, "place", edge.step.name, case.answer - stands + term, **values)
                    return


def _taken_apart(case: Case) -> Iterator[tuple[Edge, Step]]:
    """Yield each line that reads a tensor at several places, played with a leaf for each."""
    for edge in case.direct:
        played = case.altered.apart(edge.step.name, edge.read)
        if played is not None and played.output.shape == edge.upstream.shape:
            yield edge, played


def _terms(edge: Edge, played: Step, upstream: Tensor) -> list[Tensor]:
    """Return the term of each place for an upstream gradient."""
    return [term for name, term in back(played, upstream).items() if name.partition("#")[0] == edge.read]


def _weight(case: Case, edge: Edge, term: Tensor) -> float | None:
    """Return the number that the term of a place stands in the answer with; None if it is 1, or has no name."""
    if term.shape != edge.observed.shape or not case.matters(term):
        return None
    observed = edge.observed - (edge.share - term)
    weight = case.weight(observed, term)
    if weight is None:
        return 0.0 if not case.matters(observed) and case.matters(REMAINDER * term) else None
    return None if abs(weight - 1) <= UNIT or named(weight, case, (edge,)) is None else weight


def _findings(case: Case, edge: Edge, place: int, count: int, term: Tensor, weight: float) -> Iterator[Finding]:
    repair = case.answer + (1 - weight) * term
    values: dict[str, Any] = {"read": edge.read, "place": place, "count": count}
    if weight == 0:
        yield Finding(Code.MISSING_TERM, "place", edge.step.name, repair, **values)
    elif abs(weight + 1) <= UNIT:
        yield Finding(Code.TERM_SIGN, "place", edge.step.name, repair, **values)
    else:
        sign = "-" if weight < 0 else ""
        factor = sign + described(weight, case, (edge,))
        yield Finding(Code.TERM_SCALE, "place", edge.step.name, repair, **values, factor=factor)
