"""The marks: one sign for each outcome of a step, the same on every page.

Round is right, square is wrong. Filled is certain; outlined is carried from above, not certain, or not there.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from grader.compare import Origin, Verdict


class Mark(StrEnum):
    """A mark. Its value names its symbol (``m-own``), its colour (``v-own``) and its node (``n-own``)."""

    EXACT = "exact"
    APPROXIMATE = "approximate"
    ROUNDING = "rounding"
    OWN = "own"
    INHERITED = "inherited"
    UNKNOWN = "unknown"
    MISSING = "missing"


WORDS: Final = {
    Mark.EXACT: "exact",
    Mark.APPROXIMATE: "approximate",
    Mark.ROUNDING: "rounding",
    Mark.OWN: "own mistake",
    Mark.INHERITED: "inherited",
    Mark.UNKNOWN: "wrong here or above",
    Mark.MISSING: "not there",
}
_OF_VERDICT: Final = {
    Verdict.EXACT: Mark.EXACT,
    Verdict.APPROXIMATE: Mark.APPROXIMATE,
    Verdict.ROUNDING: Mark.ROUNDING,
    Verdict.MISSING: Mark.MISSING,
}
_OF_ORIGIN: Final = {Origin.INHERITED: Mark.INHERITED, Origin.UNKNOWN: Mark.UNKNOWN}


def mark_of(verdict: str | None, origin: str | None = None) -> Mark:
    """Return the mark of a row. None is a step that has no row; a wrong one without an origin is the student's."""
    if verdict is None:
        return Mark.MISSING
    mark = _OF_VERDICT.get(Verdict(verdict))
    if mark is not None:
        return mark
    return Mark.OWN if origin is None else _OF_ORIGIN.get(Origin(origin), Mark.OWN)
