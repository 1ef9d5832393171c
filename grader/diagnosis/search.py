"""The search for the kind of a mistake.

A hypothesis is a function of a ``Case``. It yields a ``Finding`` for each way in which it explains all numbers of the
answer but for rounding. Hypotheses know steps, terms, shapes and values; none knows an exercise. They are tried in
groups, the likely and cheap ones first. The first group that explains the answer ends the search. If two hypotheses of
one group explain it equally well, the student is told both.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping

from grader.compare import Diagnosis
from grader.diagnosis.case import Case
from grader.diagnosis.codes import Code, Finding
from grader.diagnosis.hypotheses import (
    chain_rule,
    confusions,
    formula_parts,
    partial_sums,
    positions,
    products,
    ratios,
    resized,
    shapes,
    slips,
    terms,
    unknown,
)
from grader.diagnosis.messages import diagnosis_of

log = logging.getLogger(__name__)

Hypothesis = Callable[[Case], Iterator[Finding]]
Groups = tuple[tuple[Hypothesis, ...], ...]

# From the likely and cheap ones to those that cost most.
GROUPS: Groups = (
    (unknown.not_finite, confusions.aliased),
    (slips.itself,),
    (terms.zero, chain_rule.ones_as_upstream, terms.whole_scaled),
    (formula_parts.parts, slips.parenthesis),
    (terms.one_share,),
    (shapes.rearranged, shapes.not_reduced, shapes.unsummed, positions.unfilled),
    (confusions.overwritten,),
    (chain_rule.value_as_upstream, chain_rule.missing_local, confusions.swapped),
    (slips.gone_on, slips.overwritten_value, products.added),
    (partial_sums.of_upstream, shapes.summed_needlessly, confusions.swapped_upstream),
    (terms.two_shares, positions.spilled, positions.misplaced),
    (partial_sums.of_an_axis,),
    (confusions.value_of_another, terms.multiplied),
    (products.of_two,),
    (resized.turned_and_scaled, resized.unsummed_and_scaled, resized.sum_before_product),
    (resized.one_of_each, resized.reshaped_operands),
    (chain_rule.number_as_upstream, ratios.other_power, chain_rule.other_factor),
    (shapes.turned_operands, chain_rule.added, slips.too_many),
    (ratios.function_of_one, ratios.constant_along_an_axis, shapes.summed_otherwise),
    (chain_rule.other_operand,),
)
# Tried as well after a first finding of this code. A factor may come from another gradient that went in: the line's own
# 2 is there, the 1/(n-1) of the line above it is not.
ALSO: Mapping[Code, Hypothesis] = {Code.TERM_SCALE: confusions.swapped_upstream}
# How many groups are tried, by how many mistakes of the answer are unexplained so far; after the last none. This bounds
# the cost of an answer of random numbers (bench/diagnosis.py).
GROUPS_TRIED = (len(GROUPS), len(GROUPS) - 1, 8)
DIAGNOSES_MAX = 3


def diagnose(case: Case, unexplained: int = 0, groups: Groups = GROUPS) -> tuple[Diagnosis, ...]:
    """Return what explains a wrong answer, in at most three ways.

    If nothing does, the diagnosis is ``unknown``, with the numbers that help to find the mistake. ``unexplained`` is
    the number of other mistakes of the answer that no hypothesis explained.
    """
    if unexplained >= len(GROUPS_TRIED):
        return (_diagnosis(case, Finding(Code.UNKNOWN, "later")),)
    for group in groups[: GROUPS_TRIED[unexplained]]:
        diagnoses = [diagnosis for hypothesis in group for diagnosis in _tried(hypothesis, case)]
        if diagnoses:
            also = ALSO.get(Code(diagnoses[0].code))
            if also is not None:
                diagnoses += _tried(also, case)
            distinct: dict[str, Diagnosis] = {}
            for diagnosis in diagnoses:
                distinct.setdefault(diagnosis.code, diagnosis)
            return tuple(distinct.values())[:DIAGNOSES_MAX]
    return (_diagnosis(case, unknown.figures(case)),)


def _tried(hypothesis: Hypothesis, case: Case) -> list[Diagnosis]:
    """Return what a hypothesis finds. One that fails on an odd shape loses its findings, never the grade."""
    try:
        return [_diagnosis(case, finding) for finding in hypothesis(case)]
    except (RuntimeError, LookupError):
        log.exception("%s failed on d%s, shape %s", hypothesis.__name__, case.name, list(case.answer.shape))
        return []


def _diagnosis(case: Case, finding: Finding) -> Diagnosis:
    return diagnosis_of(finding, case.name, case.instance.exercise.lines, _variables(case))


def _variables(case: Case) -> set[str]:
    """Return the names whose gradients the student has: the checkpoints, and what the exercise gives."""
    given = {name[1:] for name in case.values if name.startswith("d") and name[1:] in case.values}
    return given | {checkpoint.name for checkpoint in case.instance.exercise.checkpoints}
