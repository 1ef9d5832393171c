"""Right numbers at some positions, and none, or others, elsewhere."""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor

from grader.diagnosis.case import Case
from grader.diagnosis.codes import Code, Finding
from grader.rounding import NOISE


def spilled(case: Case) -> Iterator[Finding]:
    """Find an answer that is right wherever the right gradient is not zero, and not zero elsewhere."""
    if not case.same_shape:
        return
    for bundle in case.bundles:
        reached = bundle.share != 0
        if bool(reached.all()) or not case.same(bundle.observed * reached, bundle.share):
            continue
        edge = bundle.edges[0]
        wrong = int((_nonzero(case, bundle.observed) & ~reached).sum())
        yield Finding(Code.MISSING_LOCAL, "should_be_zero", at=edge.step.name, read=edge.read, wrong=wrong)
        return


def unfilled(case: Case) -> Iterator[Finding]:
    """Find an answer that is right wherever it is not zero, and zero where it should not be."""
    if not case.same_shape:
        return
    for bundle in case.bundles:
        filled = _nonzero(case, bundle.observed)
        if not case.same(bundle.observed, bundle.share * filled):
            continue
        missing = int((~filled & (bundle.share != 0)).sum())
        form = "elements" if bundle.share is case.right else "elements_of_a_term"
        yield Finding(Code.MISSING_TERM, form, at=bundle.edges[0].step.name, missing=missing)
        return


def misplaced(case: Case) -> Iterator[Finding]:
    """Find the right numbers at wrong positions, where the right gradient is zero nearly everywhere."""
    if not case.same_shape:
        return
    for bundle in case.bundles:
        share, observed = bundle.share, bundle.observed
        reached, filled = share != 0, _nonzero(case, observed)
        if not 1 < int(reached.sum()) == int(filled.sum()) <= share.numel() // 2:
            continue
        if case.same(observed[filled].sort().values, share[reached].sort().values):
            edge = bundle.edges[0]
            wrong = int((filled & ~reached).sum())
            yield Finding(Code.MISSING_LOCAL, "wrong_positions", at=edge.step.name, read=edge.read, wrong=wrong)
            return


def _nonzero(case: Case, observed: Tensor) -> Tensor:
    """Return where there is more than rounding noise, as a tensor of booleans."""
    return observed.abs() > NOISE * case.size
