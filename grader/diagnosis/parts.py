"""A part of a sum: some of the upstream gradient never went into the answer."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import torch
from torch import Tensor

from grader.compare import Diagnosis
from grader.diagnosis.case import NEAR, Case, Edge
from grader.diagnosis.wording import listed, look
from grader.reference import back

FEW = 8  # slices of an axis, any choice of which is tried
FEWEST = 8  # elements, which no choice fits by chance


def of_upstream(case: Case) -> Iterator[Diagnosis]:
    """The upstream gradient is itself a sum, and only some of its terms went in."""
    for edge in case.edges:
        step = edge.step
        flows = case.carried.consumers(step.name)
        if len(flows) < 2:
            continue
        for flow in flows:
            if not edge.may_come_from(flow.terms[step.name]):
                continue
            arrived = case.arrives(edge, back(step, flow.terms[step.name])[edge.read])
            if arrived is not None and not case.same(edge.share, arrived) and case.same(edge.found, arrived):
                yield Diagnosis(
                    "missing_term",
                    (
                        f"Of d{step.name} only the path through {flow.step.name} went into your gradient.",
                        look(case, step.name),
                        f"{step.name} is used in {listed(case.uses(step.name))}. Go on only when all of its gradient "
                        "is there.",
                    ),
                )
                return


def of_an_axis(case: Case) -> Iterator[Diagnosis]:
    """Some slices of the upstream gradient, such as the first example of a minibatch, were never gone through, or
    all but one were written over.
    """
    if not case.same_shape or case.right.numel() < FEWEST:
        return
    for edge in case.direct:
        if edge.seen is None or edge.term.shape == edge.upstream.shape:  # each slice has elements of its own
            continue
        for axis, length in enumerate(edge.upstream.shape):
            kept = _kept(case, edge, axis) if length > 1 else None
            if kept is not None:
                yield from _incomplete(case, edge, axis, kept)
                return


def _kept(case: Case, edge: Edge, axis: int) -> list[int] | None:
    """Which slices of the upstream gradient give what was found; None where no likely choice of them does."""
    assert edge.seen is not None
    length = edge.upstream.shape[axis]
    choices = _choices(length)
    products = (edge.seen * edge.upstream).movedim(axis, 0).reshape(length, -1).sum(1)
    off = (choices @ products - edge.square).abs()
    nearest = int(off.argmin())
    if not float(off[nearest]) <= NEAR * edge.square:
        return None
    chosen = choices[nearest].reshape([-1] + [1] * (edge.upstream.dim() - axis - 1))
    if not case.same(edge.found, back(edge.step, edge.upstream * chosen)[edge.read]):
        return None
    kept: list[int] = choices[nearest].nonzero().flatten().tolist()
    return kept


@lru_cache(maxsize=32)
def _choices(length: int) -> Tensor:
    """Likely choices of so many slices, a row of zeros and ones each: one alone, all but one, the first few, the
    last few; any, where they are few.
    """
    if length <= FEW:
        return torch.cartesian_prod(*[torch.tensor([0.0, 1.0])] * length)[1:-1]
    one, upto = torch.eye(length), torch.ones(length, length).tril()[:-1]
    return torch.cat([one, 1 - one, upto, 1 - upto])


def _incomplete(case: Case, edge: Edge, axis: int, kept: list[int]) -> Iterator[Diagnosis]:
    step, length = edge.step.name, edge.upstream.shape[axis]
    if len(kept) == 1:
        kind = f"Of the {length} slices of d{step} along axis {axis}, only slice {kept[0]} is in your gradient."
        if kept[0] == length - 1:  # by an assignment in a loop, or never gone to: the numbers are the same
            code, why = "overwritten", "In a loop, = keeps what came last, and += adds up."
        else:
            code, why = "not_reduced", "What is used many times collects from each use: a sum."
        yield Diagnosis(code, (kind, look(case, step), why))
    else:
        missing = [str(index) for index in range(length) if index not in kept]
        which = listed(missing) if len(missing) <= FEW else f"{missing[0]} to {missing[-1]}"
        many = "slices" if len(missing) > 1 else "slice"
        kind = f"What comes from {many} {which} of d{step}, along axis {axis}, is not in your gradient."
    advice = "Each element of the upstream gradient goes somewhere. Look at the ends of your ranges."
    yield Diagnosis("missing_term", (kind, look(case, step), advice))
