"""Where no hypothesis fits: the numbers that help to find it."""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor

from grader.compare import Diagnosis
from grader.diagnosis.case import Case
from grader.diagnosis.wording import listed, look

ROUNDING = 1e-2  # of the largest element; bfloat16 keeps three digits


def not_finite(case: Case) -> Iterator[Diagnosis]:
    """NaN or infinities where the upstream has none."""
    bad = ~case.answer.isfinite()
    if bool(bad.any()):
        yield Diagnosis(
            "unknown",
            (
                f"{int(bad.sum())} of {bad.numel()} elements are NaN or infinite, and the gradients above are not"
                f"{_where(bad)}.",
                look(case, *case.uses(case.name)),
                "Look for a division by zero, a logarithm of zero, or a power of a negative number.",
            ),
        )


def unknown(case: Case) -> Diagnosis:
    """What can be said of a mistake that no hypothesis explains."""
    uses = case.uses(case.name)
    kind = f"The mistake is in this step, but its kind was not recognised: {_figures(case)}."
    return Diagnosis(
        "unknown",
        (
            kind,
            look(case, *uses),
            f"{case.name} is used in {listed(uses)}. Derive each use alone, on paper, with shapes; then add."
            if len(uses) > 1
            else "Derive this line alone, on paper, for one element; then put the shapes back.",
        ),
    )


def _figures(case: Case) -> str:
    answer, right = case.answer, case.right
    if not case.same_shape:
        return f"its shape is {list(answer.shape)}, and {list(right.shape)} is wanted"
    off = (answer - right).abs()
    largest = float(right.abs().max())
    wrong = off > 1e-5 * right.abs() + 2e-6 * case.size
    if not bool(wrong.any()):
        return "the numbers are right up to the rounding of another order of operations"
    if float(off.max()) <= ROUNDING * largest:
        share = float(off.max()) / largest
        return (
            f"it is nearly right, off by at most {share:.1g} of its largest element; "
            "look for lost digits or for a small constant"
        )
    return f"{int((~wrong).sum())} of {wrong.numel()} elements are right{_where(wrong)}{_ratio(answer, right, wrong)}"


def _where(wrong: Tensor) -> str:
    """The rows or columns that hold all of the wrong elements, if they are few."""
    for axis in range(wrong.dim()):
        others = [each for each in range(wrong.dim()) if each != axis]
        touched = wrong.any(dim=others[0]) if len(others) == 1 else wrong.flatten() if not others else None
        if touched is None or touched.dim() != 1 or bool(touched.all()):
            continue
        indices = [int(each) for each in touched.nonzero().flatten()]
        if len(indices) <= max(1, len(touched) // 2):
            shown = ", ".join(map(str, indices[:6])) + (", …" if len(indices) > 6 else "")
            return f"; the wrong ones sit at {shown} of axis {axis}"
    return ""


def _ratio(answer: Tensor, right: Tensor, wrong: Tensor) -> str:
    told = wrong & (right.abs() > 1e-3 * right.abs().max())
    if not bool(told.any()):
        return ""
    ratio = (answer[told] / right[told]).median()
    return f"; where they are wrong, they are typically {float(ratio):.3g} times what they should be"
