"""An answer that no hypothesis explains: the numbers that help to find the mistake."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from torch import Tensor

from grader.diagnosis.case import Case
from grader.diagnosis.codes import Code, Finding

NEARLY_RIGHT = 1e-2  # of the largest element; bfloat16 keeps three digits
NEXT_TO_NOTHING = 1e-2  # of the largest element
RATIO_MIN = 1e-2  # a smaller one says no more than that the elements are small
RATIO_SHARE_MIN = 0.75  # of the wrong elements must have a ratio, for one of them to be called typical
BY_CHANCE = 5e-3  # of the elements of a wrong answer may be near the right ones
TYPICAL = 0.05  # half of the wrong elements have the ratio that is called typical, up to this


def not_finite(case: Case) -> Iterator[Finding]:
    """Find NaN or infinities where the upstream gradient has none."""
    bad = ~case.answer.isfinite()
    if bool(bad.any()):
        uses = case.uses(case.name)
        known = not any(use in case.replay.absent or use in case.replay.degenerate for use in uses)
        values: dict[str, Any] = {"bad": int(bad.sum()), "count": bad.numel(), "where": _where(bad)}
        yield Finding(Code.UNKNOWN, "not_finite" if known else "not_finite_here", at=uses, **values)


def figures(case: Case) -> Finding:
    """Return a finding with what the numbers show: shape, how many are right, where the others are."""
    uses = case.uses(case.name)
    if case.same_shape and float(case.answer.abs().max()) < NEXT_TO_NOTHING * float(case.right.abs().max()):
        largest = float(case.answer.abs().max()) / float(case.right.abs().max())
        return Finding(Code.UNKNOWN, "next_to_nothing", at=uses, largest=largest)
    form = "several_uses" if len(uses) > 1 else "one_use"
    return Finding(Code.UNKNOWN, form, at=uses, uses=uses, figures=_figures(case))


def _figures(case: Case) -> tuple[str, Mapping[str, object]]:
    """Return a key of ``wording.FIGURES`` and the values that it names."""
    answer, right = case.answer, case.right
    if not case.same_shape or case.is_stretched:
        return "shape", {"shape": list(case.replay.handed_in[case.name].shape), "right": list(right.shape)}
    difference = (answer - right).abs()
    largest = float(right.abs().max())
    wrong = case.wrong
    if float(difference.max()) <= NEARLY_RIGHT * largest:
        return "nearly_right", {"share": float(difference.max()) / largest}
    values: dict[str, Any] = {"where": _where(wrong), "ratio": _ratio(answer, right, wrong)}
    right_ones = int((~wrong).sum())
    form = "hardly_any" if 0 < right_ones <= BY_CHANCE * wrong.numel() else "elements"
    return form, {"right": right_ones, "count": wrong.numel(), **values}


def _where(wrong: Tensor) -> tuple[int, list[int]] | None:
    """Return an axis, and the indices along it that hold all wrong elements; None if they are many."""
    for axis in range(wrong.dim()):
        others = [each for each in range(wrong.dim()) if each != axis]
        touched = wrong.any(dim=others[0]) if len(others) == 1 else wrong.flatten() if not others else None
        if touched is None or touched.dim() != 1 or bool(touched.all()):
            continue
        indices = [int(index) for index in touched.nonzero().flatten()]
        if len(indices) <= max(1, len(touched) // 2):
            return axis, indices
    return None


def _ratio(answer: Tensor, right: Tensor, wrong: Tensor) -> float | None:
    """Return the ratio of the wrong elements to the right ones that half of them have; None if there is none."""
    counted = wrong & (right.abs() > 1e-3 * right.abs().max())
    if not int(counted.sum()) > RATIO_SHARE_MIN * int(wrong.sum()):
        return None
    ratios = (answer[counted] / right[counted]).sort().values
    low, middle, high = (float(ratios[(len(ratios) - 1) * quarter // 4]) for quarter in (1, 2, 3))
    if not RATIO_MIN <= abs(middle) < float("inf") or high - low > TYPICAL * abs(middle) or abs(middle - 1) <= TYPICAL:
        return None
    return middle
