"""Right numbers at some places, and none, or others, elsewhere."""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor

from grader.compare import Diagnosis
from grader.diagnosis.case import Case
from grader.diagnosis.wording import look, not_the_derivative
from grader.likeness import NOISE


def spilled(case: Case) -> Iterator[Diagnosis]:
    """Right wherever the right gradient is not zero, and something where it is."""
    if not case.same_shape:
        return
    for bundle in case.bundles:
        reached = bundle.share != 0
        if bool(reached.all()) or not case.same(bundle.found * reached, bundle.share):
            continue
        edge = bundle.edges[0]
        wrong = int((_nonzero(case, bundle.found) & ~reached).sum())
        yield not_the_derivative(
            case,
            edge,
            f"{wrong} elements of your gradient should be zero: {edge.step.name} does not depend on those elements of "
            f"{edge.read}. The others are right.",
        )
        return


def unfilled(case: Case) -> Iterator[Diagnosis]:
    """Right wherever it is not zero, and zero where it should not be."""
    if not case.same_shape:
        return
    for bundle in case.bundles:
        filled = _nonzero(case, bundle.found)
        if not case.same(bundle.found, bundle.share * filled):
            continue
        edge = bundle.edges[0]
        missing = int((~filled & (bundle.share != 0)).sum())
        whole = "your gradient" if bundle.share is case.right else f"the term that comes through {edge.step.name}"
        yield Diagnosis(
            "missing_term",
            (
                f"{missing} elements of {whole} are zero and should not be; the others are right.",
                look(case, edge.step.name),
                "Which elements does your line reach? Look at the ends of its ranges and at its indices.",
            ),
        )
        return


def misplaced(case: Case) -> Iterator[Diagnosis]:
    """The right numbers at the wrong places, where the right gradient is zero nearly everywhere."""
    if not case.same_shape:
        return
    for bundle in case.bundles:
        share, found = bundle.share, bundle.found
        reached, filled = share != 0, _nonzero(case, found)
        if not 1 < int(reached.sum()) == int(filled.sum()) <= share.numel() // 2:
            continue
        if case.same(found[filled].sort().values, share[reached].sort().values):
            edge = bundle.edges[0]
            yield not_the_derivative(
                case,
                edge,
                f"The right numbers are there, but {int((filled & ~reached).sum())} of them stand at elements of "
                f"{edge.read} that {edge.step.name} does not depend on: an index is wrong.",
            )
            return


def _nonzero(case: Case, found: Tensor) -> Tensor:
    """Where there is more than rounding noise."""
    return found.abs() > NOISE * case.size
