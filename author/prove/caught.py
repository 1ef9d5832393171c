"""Whether mistakes are caught at their step and named, and what it costs to explain one."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Final

from author.mistakes.grading import Outcome, outcomes
from author.mistakes.making import mistakes
from author.prove.findings import Fault, FaultAt, Finding, finding
from author.prove.subject import Subject

CHECK: Final = "mistakes"
UNNAMED_ALLOWED: Final = 1  # in an exercise so short that one is more than its share


def tried(subject: Subject) -> list[Outcome]:
    """Return what the grader says of mistakes in the key, without those that only rounding tells from the key."""
    instance, run = subject.instance(0), subject.key(0)
    subject.progress("makes mistakes")
    made = mistakes(instance, run, subject.effort.mistakes_per_line)
    graded = outcomes(instance, run, made, lambda done: subject.progress(f"grades mistake {done} of {len(made)}"))
    return [each for each in graded if each.is_mistake]


def caught(subject: Subject) -> Finding:
    """Check that each mistake is found at its step and at no other, and its kind named.

    A mistake in a line between must be found, and need not be named: it reads or sets what nobody is asked for.
    """
    return found_in(subject, tried(subject))


def found_in(subject: Subject, graded: Sequence[Outcome]) -> Finding:
    """Return the finding of mistakes that were graded."""
    if not graded:
        return finding(CHECK, [FaultAt(Fault.NO_MISTAKES)], tried=0, between=0, located=0, named=0, ms=0.0)
    asked = [each for each in graded if each.is_asked]
    named = [each for each in asked if each.is_named]
    unnamed = [each for each in asked if not each.is_named]
    milliseconds = 1000 * statistics.median(each.seconds for each in graded)
    faults = [FaultAt(Fault.NOT_CAUGHT, str(each.mistake)) for each in graded if not each.is_located]
    if len(named) < subject.bounds.named_share * len(asked) and len(unnamed) > UNNAMED_ALLOWED:
        values = {"named": len(named), "tried": len(asked)}
        faults.append(FaultAt(Fault.NOT_NAMED, str(unnamed[0].mistake), values))
    if milliseconds > subject.bounds.diagnosis_ms:
        values = {"size": round(milliseconds), "most": round(subject.bounds.diagnosis_ms)}
        faults.append(FaultAt(Fault.DIAGNOSIS_TOO_SLOW, "", values))
    located = sum(each.is_located for each in graded)
    counts = {"tried": len(asked), "between": len(graded) - len(asked), "located": located, "named": len(named)}
    return finding(CHECK, faults, **counts, ms=milliseconds)
