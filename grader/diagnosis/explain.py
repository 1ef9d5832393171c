"""A table explained: each wrong row is given its origin and, where the mistake is its own, its kind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from exercises.instance import Instance
from grader.answer import CHANGED_AFTER_CMP, Answer
from grader.carried import Carried, Judgement, carry
from grader.compare import LARGEST_BROADCAST, Comparison, Diagnosis, Origin, Verdict
from grader.diagnosis import diagnose
from grader.diagnosis.case import Case
from grader.likeness import align, fit
from grader.reference import reference

MISFIT = "nothing can be told about this step while d{} has another shape; mend that first"
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
    given = _usable(answers, rows)
    if all(row.passed or row.name not in given for row in rows):  # right as far as it goes: most single steps are
        return tuple(rows)
    carried = carry(reference(instance), given, rows)
    told: list[tuple[Diagnosis, ...]] = []
    explained = []
    for row in rows:
        if row.name in carried.wrong:
            judgement = carried.judgements[row.name]
            diagnosis: tuple[Diagnosis, ...] = ()
            unfinished = stopped and not carried.given[row.name].any()
            if judgement.origin is Origin.OWN and not unfinished:
                changed = CHANGED_AFTER_CMP in answers[row.name].notes
                diagnosis = _diagnosed(instance, row.name, carried, changed, told)
                codes = [each.code for each in diagnosis]
                unfinished = stopped and bool(told) and codes == ["missing_term"]
                misfit = _misfit_above(row.name, carried, rows, stopped) if codes == ["unknown"] else None
                if misfit is not None:
                    judgement, diagnosis = Judgement(None, (MISFIT.format(misfit),)), ()
                elif not unfinished:
                    told.append(diagnosis)
            if unfinished:
                row = replace(row, notes=(*row.notes, UNFINISHED))
            else:
                notes = (*row.notes, *judgement.notes)
                row = replace(row, origin=judgement.origin, diagnosis=diagnosis, notes=notes)
        explained.append(row)
    return tuple(explained)


def _diagnosed(
    instance: Instance, name: str, carried: Carried, changed: bool, told: Sequence[tuple[Diagnosis, ...]]
) -> tuple[Diagnosis, ...]:
    """``told`` is what was told of the answer's mistakes so far."""
    right, answer = carried.gradients[name], carried.given[name]
    aligned = align(answer, right.shape)
    if aligned is not None:
        answer = aligned
    elif any(flow.step.name in carried.misfits for flow in carried.consumers(name)):
        fitted = fit(answer, right.shape)  # the odd shape came from above
        answer = answer if fitted is None else fitted
    puzzles = sum(diagnosis[0].code == "unknown" for diagnosis in told)
    return diagnose(Case(instance, name, answer, carried, changed), puzzles)


def _misfit_above(name: str, carried: Carried, rows: Sequence[Comparison], stopped: bool) -> str | None:
    """A step that reads the tensor, whose gradient has a shape that cannot be gone on with, or stopped the code."""
    shapeless = {row.name for row in rows if row.verdict is Verdict.SHAPE}
    steps = [flow.step.name for flow in carried.consumers(name) if flow.step.name in carried.misfits]
    return next((step for step in steps if stopped or step in shapeless), None)


def _told(row: Comparison) -> Comparison:
    """The sandbox's one-word note in words for the student."""
    notes = tuple(CHANGED if note == CHANGED_AFTER_CMP else note for note in row.notes)
    return replace(row, notes=notes) if notes != row.notes else row


def _usable(answers: Mapping[str, Answer], rows: Sequence[Comparison]) -> dict[str, Tensor]:
    """The answers asked for that are real tensors of a reasonable size, as float32."""
    return {
        row.name: answer.tensor.to(torch.float32)
        for row in rows
        if (answer := answers.get(row.name)) is not None
        and answer.tensor is not None
        and not answer.tensor.is_complex()
        and 0 < answer.tensor.numel() <= LARGEST_BROADCAST
    }
