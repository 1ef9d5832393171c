"""Why a step is wrong: hypotheses about a student's mistake, tried on the recorded graph.

A hypothesis is a function of a ``Case``, and yields a ``Diagnosis`` for each way in which it explains the
answer to the last digit but rounding. They know steps, terms, shapes and values; none knows an exercise. They
are tried in groups, the cheap and likely ones first, and the first group that explains the answer ends the
search: what two hypotheses of one group explain equally well is given twice.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator

from grader.compare import Diagnosis
from grader.diagnosis import locals, mixups, shapes, terms, unknown
from grader.diagnosis.case import Case

log = logging.getLogger(__name__)

Hypothesis = Callable[[Case], Iterator[Diagnosis]]

CHEAP: tuple[tuple[Hypothesis, ...], ...] = (
    (unknown.not_finite, mixups.aliased),
    (terms.nothing, locals.no_upstream, terms.whole),
    (terms.shares,),
    (shapes.rearranged, shapes.not_reduced),
    (mixups.overwritten,),
    (locals.value_upstream, locals.missing_local, mixups.swapped),
)
DEAR: tuple[tuple[Hypothesis, ...], ...] = (
    (mixups.swapped_upstream,),
    (terms.several_shares, locals.spilled, locals.unfilled, mixups.left_out),
    (locals.number_upstream, locals.other_power, locals.other_factor),
    (shapes.turned_operands,),
    (locals.other_operand,),
    (locals.function_of_one, locals.constant_along_an_axis, shapes.summed_otherwise),
)
MOST_TOLD = 3


def diagnose(case: Case, thorough: bool = True) -> tuple[Diagnosis, ...]:
    """What explains a wrong answer, at most three ways; ``unknown`` with the numbers that help where nothing does.

    Not thorough: only what costs little is tried.
    """
    for group in (*CHEAP, *DEAR) if thorough else CHEAP:
        found: dict[str, Diagnosis] = {}
        for hypothesis in group:
            for each in _tried(hypothesis, case):
                found.setdefault(each.code, each)
        if found:
            return tuple(found.values())[:MOST_TOLD]
    return (unknown.unknown(case),)


def _tried(hypothesis: Hypothesis, case: Case) -> list[Diagnosis]:
    """What a hypothesis finds. One that fails on odd shapes costs its own finding, never the grade."""
    try:
        return list(hypothesis(case))
    except (RuntimeError, IndexError):
        log.exception("%s failed on d%s, shape %s", hypothesis.__name__, case.name, list(case.answer.shape))
        return []
