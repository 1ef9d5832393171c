"""The search for the kind of a mistake.

A hypothesis is a function of a ``Case``. It yields a ``Finding`` for each way in which it explains all numbers of the
answer but for rounding. A finding becomes a sentence only if it passes the repair test (``repair``). Hypotheses know
steps, terms, shapes and values; none knows an exercise. They are tried in groups, the likely and cheap ones first. The
first group that explains the answer ends the search. If two hypotheses of one group explain it equally well, the
student is told both.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import cache

from exercises.instance import Instance
from grader.compare import Diagnosis
from grader.diagnosis.case import Case
from grader.diagnosis.codes import Code, Finding
from grader.diagnosis.hypotheses import (
    chain_rule,
    confusions,
    derivative_sums,
    elements,
    formula_parts,
    inner_sums,
    orientation,
    partial_sums,
    places,
    positions,
    products,
    ratios,
    resized,
    shapes,
    slips,
    terms,
    two_parts,
    unknown,
)
from grader.diagnosis.messages import diagnosis_of
from grader.diagnosis.pattern import finding_pattern
from grader.diagnosis.repair import is_verified
from grader.reference.dissection import kept_with_dissection
from grader.reference.gradients import reference

log = logging.getLogger(__name__)

Hypothesis = Callable[[Case], Iterator[Finding]]
Hypotheses = tuple[Hypothesis, ...]
Groups = tuple[Hypotheses, ...]

# From the likely and cheap ones to those that cost most.
GROUPS: Groups = (
    (unknown.not_finite, confusions.aliased),
    (slips.itself,),
    (terms.zero, chain_rule.ones_as_upstream, terms.whole_scaled),
    (formula_parts.parts, slips.parenthesis),
    (terms.one_share, terms.overwritten_uses),
    (places.one_of_a_line, places.one_without_upstream),
    (orientation.pieces_exchanged, orientation.flipped, orientation.stretched_along_another_axis),
    (derivative_sums.in_the_derivative,),
    (shapes.rearranged, shapes.not_reduced, shapes.unsummed, positions.unfilled, elements.scaled),
    (confusions.overwritten,),
    (chain_rule.value_as_upstream, chain_rule.missing_local, chain_rule.line_of_the_upstream, confusions.swapped),
    (slips.overwritten_value, slips.exchanged, products.added),
    (partial_sums.of_upstream, shapes.summed_needlessly, confusions.swapped_upstream),
    (terms.several_shares, positions.spilled, positions.misplaced, positions.other_places, positions.other_indices),
    (partial_sums.of_an_axis, positions.misread_indices),
    (confusions.value_of_another, terms.multiplied),
    (resized.turned_and_scaled, resized.unsummed_and_scaled, resized.sum_before_product),
    (resized.one_of_each, resized.slice_times_count, resized.added_before_the_sum, resized.reshaped_operands),
    (products.of_two, products.less_than_one),
    (slips.gone_on, ratios.other_power, chain_rule.other_factor, chain_rule.part_of_the_derivative),
    (chain_rule.number_as_upstream, chain_rule.constant),
    (shapes.turned_operands, chain_rule.added, chain_rule.scaled_and_number_added, slips.too_many),
    (chain_rule.added_to_the_upstream,),
    (chain_rule.other_operand,),
    (inner_sums.over_everything, inner_sums.along_the_other_axis),
    # These last: they fit whatever has the form that they look for.
    (ratios.constant_along_an_axis,),
    (elements.one_number,),
    (ratios.familiar_function, ratios.function_of_one, two_parts.one_with_a_name),
    (terms.nearly_missing,),
    (ratios.off_like_a_part,),
)
# Whatever is compared up to the rounding of any order of operations fits an answer that is right up to it. Its bounds
# say that it is wrong; so only what is compared more strictly is said.
GROUPS_NEARLY_RIGHT: Groups = ((chain_rule.small_number_added,),)
# Tried as well after a first finding of this hypothesis and code: other mistakes that may have made the same numbers.
# A line's own 2 is there, and the 1/(n-1) of the line above it is not; or what is added is a multiple of the term.
MULTIPLES: Hypotheses = (confusions.swapped_for_a_multiple, chain_rule.tensor_added)
ALSO: Mapping[tuple[Hypothesis, Code], Hypotheses] = {
    (terms.one_share, Code.TERM_SCALE): MULTIPLES,
    (terms.several_shares, Code.TERM_SCALE): MULTIPLES,
    (formula_parts.parts, Code.TERM_SCALE): MULTIPLES,
    # Where a line multiplies with a tensor, the gradient below it is the one above times that tensor.
    (confusions.swapped_upstream, Code.SWAPPED): (ratios.one_factor_too_many,),
    # A factor of another term may be a tensor of that line in place of this one's.
    (slips.parenthesis, Code.MISSING_LOCAL): (chain_rule.other_operand,),
}
# How many groups are tried, by how many mistakes of the answer are unexplained so far; after the last none. This bounds
# the cost of an answer of random numbers (bench/diagnosis.py).
GROUPS_TRIED = (len(GROUPS), len(GROUPS) - 11, 8)
DIAGNOSES_MAX = 3


def diagnose(case: Case, unexplained: int = 0, groups: Groups = GROUPS) -> tuple[Diagnosis, ...]:
    """Return what explains a wrong answer, in at most three ways.

    If nothing does, the diagnosis is ``unknown``, with the numbers that help to find the mistake. ``unexplained`` is
    the number of other mistakes of the answer that no hypothesis explained.
    """
    if unexplained >= len(GROUPS_TRIED):
        return (_diagnosis(case, Finding(Code.UNKNOWN, "later")),)
    if not case.is_finite_above:
        return (_diagnosis(case, Finding(Code.UNKNOWN, "above_not_finite", at=case.uses(case.name))),)
    if terms.is_nearly_right(case):
        groups = GROUPS_NEARLY_RIGHT
    for group in groups[: GROUPS_TRIED[unexplained]]:
        found = {hypothesis: _tried(hypothesis, case) for hypothesis in group}
        diagnoses = [diagnosis for each in found.values() for diagnosis in each]
        if diagnoses:
            first = next(hypothesis for hypothesis, its in found.items() if its)
            for hypothesis in ALSO.get((first, Code(diagnoses[0].code)), ()):
                diagnoses += _tried(hypothesis, case)
            distinct: dict[object, Diagnosis] = {}
            for diagnosis in diagnoses:  # one code twice says something new only of another line
                distinct.setdefault((diagnosis.code, diagnosis.hints[1:2]), diagnosis)
            return tuple(distinct.values())[:DIAGNOSES_MAX]
    return tuple(_tried(_unrecognised, case)) or (_diagnosis(case, Finding(Code.UNKNOWN, "later")),)


def _unrecognised(case: Case) -> Iterator[Finding]:
    yield unknown.figures(case)


def _tried(hypothesis: Hypothesis, case: Case) -> list[Diagnosis]:
    """Return what a hypothesis finds and the repair test confirms.

    A hypothesis that fails, whatever it raises, costs its own findings and nothing else.
    """
    try:
        return [_diagnosis(case, finding) for finding in hypothesis(case) if is_verified(case, finding)]
    except Exception as error:
        _log_once(hypothesis.__module__.rpartition(".")[2], hypothesis.__name__, type(error).__name__)
        return []


@cache  # the same fault comes with every answer of that kind
def _log_once(module: str, hypothesis: str, error: str) -> None:
    log.warning("the hypothesis %s.%s failed: %s", module, hypothesis, error)


def _diagnosis(case: Case, finding: Finding) -> Diagnosis:
    diagnosis = diagnosis_of(finding, case.name, case.instance.exercise.lines, _variables(case.instance))
    return replace(diagnosis, pattern=finding_pattern(finding))


@kept_with_dissection
def _variables(instance: Instance) -> frozenset[str]:
    """Return the names whose gradients the student has: the checkpoints, and what the exercise gives."""
    values = reference(instance).state
    given = {name[1:] for name in values if name.startswith("d") and name[1:] in values}
    return frozenset(given | {checkpoint.name for checkpoint in instance.exercise.checkpoints})
