"""Some elements of an answer, all wrong in one way, while all others are right."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from grader.diagnosis.case import Case
from grader.diagnosis.codes import Code, Finding
from grader.diagnosis.factors import named, signed
from grader.rounding.closeness import is_uniform

WRONG_MIN = 8  # elements that no factor fits by chance
UNIT = 1e-4  # how far from 1 a fitted number may be and still count as 1


def scaled(case: Case) -> Iterator[Finding]:
    """Find some elements that are off by one factor with a name, or by their sign."""
    wrong = _wrong(case)
    if wrong is None:
        return
    weight = case.weight(case.answer[wrong], case.right[wrong])
    if weight is None or named(weight, case, case.edges) is None:
        return
    repair = torch.where(wrong, case.answer / weight, case.answer)
    values: dict[str, Any] = {"wrong": int(wrong.sum()), "count": wrong.numel()}
    if abs(weight + 1) <= UNIT:
        yield Finding(Code.SIGN, "elements", case.uses(case.name), repair, **values)
        return
    factor = signed(weight, case, case.edges)
    if abs(weight - 2) <= UNIT:
        yield Finding(Code.DOUBLE_COUNTED, "elements", case.uses(case.name), repair, **values)
    yield Finding(Code.SCALE, "elements", case.uses(case.name), repair, **values, factor=factor)


def one_number(case: Case) -> Iterator[Finding]:
    """Find some elements that all hold one number, where they should differ."""
    wrong = _wrong(case)
    if wrong is None or not is_uniform(case.answer[wrong]) or is_uniform(case.right[wrong]):
        return
    number = float(case.answer[wrong][0])
    if number:
        values: dict[str, Any] = {"wrong": int(wrong.sum()), "number": f"{number:.4g}"}
        yield Finding(Code.MISSING_LOCAL, "one_number", case.uses(case.name), **values)


def _wrong(case: Case) -> Tensor | None:
    """Return where the answer is wrong; None if the wrong elements, or the right ones that are not 0, are too few."""
    if not case.same_shape or case.is_stretched:
        return None
    wrong = case.wrong
    count = int(wrong.count_nonzero())
    if not WRONG_MIN <= count <= wrong.numel() - WRONG_MIN:
        return None
    return wrong if int(case.right[~wrong].count_nonzero()) >= WRONG_MIN else None
