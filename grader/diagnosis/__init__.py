"""Why a step is wrong: hypotheses about a student's mistake, tried on the recorded graph.

A hypothesis is a function of a ``Case``, and yields a ``Diagnosis`` for each way in which it explains the
answer to the last digit but rounding. They know steps, terms, shapes and values; none knows an exercise. They
are tried in groups, the cheap and likely ones first, and the first group that explains the answer ends the
search: what two hypotheses of one group explain equally well is given twice.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping

from grader.compare import Diagnosis
from grader.diagnosis import locals, mixups, parts, places, ratios, shapes, terms, unknown
from grader.diagnosis.case import Case

log = logging.getLogger(__name__)

Hypothesis = Callable[[Case], Iterator[Diagnosis]]

# From the likely and cheap ones to those that cost most.
GROUPS: tuple[tuple[Hypothesis, ...], ...] = (
    (unknown.not_finite, mixups.aliased),
    (terms.nothing, locals.no_upstream, terms.whole),
    (terms.shares,),
    (shapes.rearranged, shapes.not_reduced, shapes.unsummed, places.unfilled),
    (mixups.overwritten,),
    (locals.value_upstream, locals.missing_local, mixups.swapped),
    (parts.of_upstream, shapes.summed_needlessly, mixups.swapped_upstream),
    (terms.several_shares, places.spilled, places.misplaced),
    (parts.of_an_axis,),
    (mixups.value_of_another, terms.multiplied),
    (locals.number_upstream, ratios.other_power, locals.other_factor),
    (shapes.turned_operands, locals.added),
    (ratios.function_of_one, ratios.constant_along_an_axis, shapes.summed_otherwise),
    (locals.other_operand,),
)
# A factor may also come of another gradient: the line's own 2 is there, the 1/(n-1) of the line above it is not.
ALSO: Mapping[str, Hypothesis] = {"term_scale": mixups.swapped_upstream}
# What an answer of random numbers costs is bounded: the more mistakes of an answer were not explained, the fewer
# groups are tried for the next, and after the last of these none.
PATIENCE = (len(GROUPS), len(GROUPS) - 1, 6)
MOST_TOLD = 3
LATER = "The mistake is in this step. Mend the first ones, and submit again to hear more about this one."


def diagnose(case: Case, puzzles: int = 0) -> tuple[Diagnosis, ...]:
    """What explains a wrong answer, at most three ways; ``unknown`` with the numbers that help where nothing does.

    ``puzzles`` is how many other mistakes were not explained.
    """
    if puzzles >= len(PATIENCE):
        return (Diagnosis("unknown", (LATER,)),)
    for group in GROUPS[: PATIENCE[puzzles]]:
        found = [each for hypothesis in group for each in _tried(hypothesis, case)]
        if found:
            found += [each for code in ALSO if code == found[0].code for each in _tried(ALSO[code], case)]
            distinct: dict[str, Diagnosis] = {}
            for each in found:
                distinct.setdefault(each.code, each)
            return tuple(distinct.values())[:MOST_TOLD]
    return (unknown.unknown(case),)


def _tried(hypothesis: Hypothesis, case: Case) -> list[Diagnosis]:
    """What a hypothesis finds. One that fails on odd shapes costs its own finding, never the grade."""
    try:
        return list(hypothesis(case))
    except (RuntimeError, IndexError):
        log.exception("%s failed on d%s, shape %s", hypothesis.__name__, case.name, list(case.answer.shape))
        return []
