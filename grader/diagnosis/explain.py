"""Explain a table: give each wrong row its origin and, where the mistake is its own, its kind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from exercises.instance import Instance
from grader.answer import CHANGED_AFTER_CMP, Answer
from grader.compare import BROADCAST_ELEMENTS_MAX, Comparison, Diagnosis, Origin
from grader.diagnosis.case import Case
from grader.diagnosis.codes import Code
from grader.diagnosis.evidence import broken_invariant, counterexample
from grader.diagnosis.messages import with_evidence
from grader.diagnosis.pattern import answer_pattern
from grader.diagnosis.search import diagnose
from grader.origin.backward_replay import ODD_SHAPE, BackwardReplay, Judgement, replay_backward
from grader.reference.gradients import reference
from grader.rounding.closeness import align, fit
from grader.rounding.tolerance import judge_rounding

INCOMPARABLE = "nothing more can be told about this tensor; hand in one that can be compared"
RECOVERED = "what you made of d{0} agrees on one, and it is not right: hand in d{0} as well, and begin there"
IN_CONTEXT = "look at d{} first"
IN_BEYOND = "look at d{} first: cmp passes it, and it is off by more than rounding"
UNFINISHED = "the code stopped before all of this gradient was there"
MAY_BE_UNFINISHED = "the code stopped, perhaps before all of this gradient was there; mend what stopped it first"
# What may be only that a line did not run yet: one that adds a path, divides, or sums.
COMES_LATER = frozenset({Code.MISSING_TERM, Code.SCALE, Code.TERM_SCALE, Code.NOT_REDUCED})
CHANGED = (
    "the variable changed after it was handed to cmp; the value that cmp saw is graded. If you did not mean to change "
    "it, clone() before +="
)


def explain(
    instance: Instance,
    answers: Mapping[str, Answer],
    rows: Sequence[Comparison],
    stopped: bool = False,
    context: Set[str] = frozenset(),
) -> tuple[Comparison, ...]:
    """Return the rows with ``rounding``, ``origin``, ``diagnosis`` and notes.

    Rows that passed get no origin and no diagnosis. ``stopped`` says that the code did not run to its end: a gradient
    that is still zero was not filled in yet. ``context`` are the rows of answers that only say what is above others.
    """
    rows = [_with_words(row) for row in rows]
    handed_in = _usable(answers, rows)
    tolerated = judge_rounding(reference(instance), handed_in, rows)
    rows = [
        _incomparable(row) if row.name not in handed_in and _has_tensor(answers, row) else row for row in tolerated.rows
    ]
    if all(row.name not in handed_in or row.passed for row in rows):  # nothing is wrong: so are most single steps
        return tuple(rows)
    replay = replay_backward(reference(instance), handed_in, rows, tolerated.inherited)
    table = _Table(instance, rows, replay, stopped, context, tolerated.beyond)
    return tuple(table.explained(row) for row in rows)


@dataclass
class _Table:
    """The rows of one answer while they are explained, in the exercise's order.

    ``beyond`` are the rows that pass and are off by more than rounding. ``diagnoses`` has one entry for each mistake
    explained so far.
    """

    instance: Instance
    rows: Sequence[Comparison]
    replay: BackwardReplay
    stopped: bool
    context: Set[str]
    beyond: Set[str] = frozenset()
    diagnoses: list[tuple[Diagnosis, ...]] = field(default_factory=list)

    def explained(self, row: Comparison) -> Comparison:
        """Return a row with its origin, diagnosis and notes."""
        if row.name in self.replay.recovered:
            is_wrong = self.replay.judgements[row.name].origin is not Origin.INHERITED
            return replace(row, notes=(*row.notes, RECOVERED.format(row.name))) if is_wrong else row
        if row.name not in self.replay.wrong:
            return row
        judgement = self.replay.judgements[row.name]
        diagnosis: tuple[Diagnosis, ...] = ()
        if self.stopped and not self.replay.handed_in[row.name].any():
            return _unfinished(row)
        if judgement.origin is Origin.OWN and row.name not in self.context:
            diagnosis = self._diagnosed(row.name)
            codes = [each.code for each in diagnosis]
            if self.stopped and self.diagnoses and codes == [Code.MISSING_TERM]:
                return _unfinished(row)
            if self.stopped and self._is_last(row.name) and not COMES_LATER.isdisjoint(codes):
                return replace(row, origin=Origin.UNKNOWN, notes=(*row.notes, MAY_BE_UNFINISHED))
            odd = self._odd_shape_above(row.name) if codes == [Code.UNKNOWN] else None
            if odd is None:
                self.diagnoses.append(diagnosis)
            else:
                judgement, diagnosis = Judgement(Origin.UNKNOWN, (ODD_SHAPE.format(odd),)), ()
        if self.context and judgement.origin is Origin.INHERITED and row.name not in self.context:
            judgement = self._inherited_from_context(row.name, judgement)
        if self.beyond and judgement.origin is Origin.INHERITED:
            judgement = self._inherited_from_what_passes(row.name, judgement)
        notes = (*row.notes, *judgement.notes)
        return replace(
            row,
            origin=judgement.origin,
            diagnosis=diagnosis,
            notes=notes,
            blames=judgement.blames,
            inherits_constant=judgement.constant is not None,
            pattern=self._pattern(row.name, diagnosis) if judgement.origin is not Origin.INHERITED else None,
        )

    def _inherited_from_context(self, name: str, judgement: Judgement) -> Judgement:
        """Return the judgement with the first step of the context whose mistake it inherits."""
        above = self.replay.above(name)
        first = next(
            (each for each, one in self.replay.judgements.items() if one.origin is Origin.OWN and each in above), None
        )
        if judgement.blames or first is None or first not in self.context:
            return judgement
        return replace(judgement, notes=(*judgement.notes, IN_CONTEXT.format(first)), blames=(first,))

    def _inherited_from_what_passes(self, name: str, judgement: Judgement) -> Judgement:
        """Return the judgement with the first step above that passes beyond rounding, if all wrong ones inherit."""
        above = self.replay.above(name)
        first = next((each for each in self.replay.reference.backward_order if each in self.beyond & above), None)
        origins = {self.replay.judgements[each].origin for each in above & self.replay.wrong}
        if judgement.blames or first is None or origins - {Origin.INHERITED}:
            return judgement
        return Judgement(judgement.origin, (*judgement.notes, IN_BEYOND.format(first)), (first,))

    def _diagnosed(self, name: str) -> tuple[Diagnosis, ...]:
        right, answer = self.replay.gradients[name], self.replay.handed_in[name]
        aligned = align(answer, right.shape)
        if aligned is not None:
            answer = aligned
        elif any(flow.step.name in self.replay.odd_shapes for flow in self.replay.consumers(name)):
            fitted = fit(answer, right.shape)  # the odd shape came from above
            answer = answer if fitted is None else fitted
        unexplained = sum(diagnosis[0].code == Code.UNKNOWN for diagnosis in self.diagnoses)
        case = Case(self.instance, name, answer, self.replay)
        first, *others = diagnose(case, unexplained)
        if not self.diagnoses:  # the mistake to begin with; the cost of one is enough
            first = with_evidence(first, counterexample(case), broken_invariant(case))
        return (first, *others)

    def _pattern(self, name: str, diagnosis: tuple[Diagnosis, ...]) -> str:
        """Return the pattern of a wrong answer; what else fits as well is left out."""
        finding = diagnosis[0].pattern if diagnosis else ""
        return answer_pattern(finding, self.replay.handed_in[name], self.replay.gradients[name])

    def _is_last(self, name: str) -> bool:
        """Whether nothing below a step was handed in that is not zero: the code may have stopped while it made this."""
        names = [row.name for row in self.rows]
        later = names[names.index(name) + 1 :]
        return not any(each in self.replay.handed_in and self.replay.handed_in[each].any() for each in later)

    def _odd_shape_above(self, name: str) -> str | None:
        """Return a step that reads the tensor and whose gradient of another shape may be what stopped the code."""
        steps = [flow.step.name for flow in self.replay.consumers(name) if flow.step.name in self.replay.odd_shapes]
        return steps[0] if steps and self.stopped else None


def _unfinished(row: Comparison) -> Comparison:
    return replace(row, origin=Origin.UNKNOWN, notes=(*row.notes, UNFINISHED))


def _incomparable(row: Comparison) -> Comparison:
    return replace(row, origin=Origin.UNKNOWN, notes=(*row.notes, INCOMPARABLE))


def _has_tensor(answers: Mapping[str, Answer], row: Comparison) -> bool:
    return row.name in answers and answers[row.name].tensor is not None


def _with_words(row: Comparison) -> Comparison:
    """Replace the sandbox's one-word note by a sentence for the student."""
    if CHANGED_AFTER_CMP not in row.notes:
        return row
    return replace(row, notes=tuple(CHANGED if note == CHANGED_AFTER_CMP else note for note in row.notes))


def _usable(answers: Mapping[str, Answer], rows: Sequence[Comparison]) -> dict[str, Tensor]:
    """Return the answers that are real tensors of a reasonable size, as float32."""
    return {
        row.name: answer.tensor.to(torch.float32)
        for row in rows
        if (answer := answers.get(row.name)) is not None
        and answer.tensor is not None
        and not answer.tensor.is_complex()
        and 0 < answer.tensor.numel() <= BROADCAST_ELEMENTS_MAX
    }
