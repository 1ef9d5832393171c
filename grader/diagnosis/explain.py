"""A table explained: each wrong row is given its origin and, where the mistake is its own, its kind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from exercises.instance import Instance
from grader.answer import CHANGED_AFTER_CMP, Answer
from grader.carried import Carried, align, carry, fit
from grader.compare import LARGEST_BROADCAST, Comparison, Diagnosis, Origin
from grader.diagnosis import diagnose
from grader.diagnosis.case import Case
from grader.reference import reference

# The dear hypotheses are tried for so many mistakes of an answer; the later ones are best looked at again when
# these are mended. It bounds what an answer of random numbers can cost.
THOROUGH = 4
UNFINISHED = "the code stopped before all of this gradient was there"
CHANGED = (
    "the variable changed after it was handed to cmp; graded is what cmp saw. Where that was not meant, clone() "
    "before +="
)


def explain(
    instance: Instance, answers: Mapping[str, Answer], rows: Sequence[Comparison], stopped: bool = False
) -> tuple[Comparison, ...]:
    """The rows with ``origin``, ``diagnosis`` and notes. Rows that passed are left as they are.

    ``stopped``: the code did not come to its end, so what is still zero was not filled in yet.
    """
    rows = [_told(row) for row in rows]
    if all(row.passed for row in rows):
        return tuple(rows)
    known = reference(instance)
    carried = carry(known.cut, known.gradients, _usable(answers), rows)
    thorough = THOROUGH
    explained = []
    for row in rows:
        if stopped and not row.passed and row.name in carried.given and not carried.given[row.name].any():
            row = replace(row, notes=(*row.notes, UNFINISHED))
        elif row.name in carried.wrong:
            judgement = carried.judgements[row.name]
            row = replace(row, origin=judgement.origin, notes=(*row.notes, *judgement.notes))
            if row.origin is Origin.OWN:
                changed = CHANGED_AFTER_CMP in answers[row.name].notes
                diagnosis = _diagnosed(instance, row.name, carried, changed, thorough > 0)
                thorough -= 1
                if stopped and thorough < THOROUGH - 1 and [each.code for each in diagnosis] == ["missing_term"]:
                    row = replace(row, origin=None, notes=(*row.notes, UNFINISHED))
                else:
                    row = replace(row, diagnosis=diagnosis)
        explained.append(row)
    return tuple(explained)


def _diagnosed(
    instance: Instance, name: str, carried: Carried, changed: bool, thorough: bool
) -> tuple[Diagnosis, ...]:
    right, answer = carried.gradients[name], carried.given[name]
    aligned = align(answer, right.shape)
    if aligned is not None:
        answer = aligned
    elif any(flow.step.name in carried.misfits for flow in carried.consumers(name)):
        fitted = fit(answer, right.shape)  # the odd shape came from above
        answer = answer if fitted is None else fitted
    return diagnose(Case(instance, name, answer, carried, changed), thorough)


def _told(row: Comparison) -> Comparison:
    """The sandbox's one-word note in words for the student."""
    notes = tuple(CHANGED if note == CHANGED_AFTER_CMP else note for note in row.notes)
    return replace(row, notes=notes) if notes != row.notes else row


def _usable(answers: Mapping[str, Answer]) -> dict[str, Tensor]:
    """The answers that are real tensors of a reasonable size, as float32."""
    return {
        name: answer.tensor.to(torch.float32)
        for name, answer in answers.items()
        if answer.tensor is not None
        and not answer.tensor.is_complex()
        and 0 < answer.tensor.numel() <= LARGEST_BROADCAST
    }
