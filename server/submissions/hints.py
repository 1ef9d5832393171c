"""Hints: how much of a diagnosis an assignment shows its students, and from which attempt on.

A diagnosis has three levels: the kind of the mistake, the line of the forward pass, what to look at there. With the
last comes a counterexample, unless the assignment keeps it back. A diagnosis is stored whole with the grade and cut
when it is read. So a change of the setting counts at once, for old submissions too. Staff see everything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any, Final

from sqlmodel import Session

from grader.compare import Comparison, Verdict
from server.courses.courses import HINT_LEVELS_MAX
from server.progress import record
from server.rules.rules import Rules
from server.submissions.schemas import ComparisonBody

KIND_LEVEL = 1  # shown from the first attempt on
ROWS_REMEMBERED: Final = 2_000  # rows without an answer, of all exercises


def visible_rows(session: Session, rules: Rules, rows: Iterable[Mapping[str, Any]]) -> list[ComparisonBody]:
    """Return the rows of a grade, with as much of each diagnosis as the rules show."""
    levels = _levels(session, rules)
    shown = rules.assignment.counterexamples or rules.is_free
    return [
        _without_answer(row["name"], tuple(row["notes"]))
        if row["verdict"] == Verdict.MISSING.value and row["origin"] is None and not row["diagnosis"]
        else ComparisonBody.model_validate({**row, "diagnosis": _cut(row["diagnosis"], levels(row["name"]), shown)})
        for row in rows
    ]


@lru_cache(maxsize=ROWS_REMEMBERED)
def _without_answer(name: str, notes: tuple[str, ...]) -> ComparisonBody:
    """Return the row of a checkpoint without an answer: 25 of 26 in a single step, and the same for everybody.

    To validate 26 anew takes 3 to 7 times as long (docs/performance.md).
    """
    return ComparisonBody.model_validate(Comparison(name, Verdict.MISSING, notes=notes).as_json())


def shows_differences(rules: Rules) -> bool:
    """Return whether differences are shown as pictures: where not even the kind of a mistake is told, they are not."""
    return rules.is_free or rules.assignment.hint_levels >= KIND_LEVEL


def _levels(session: Session, rules: Rules) -> Callable[[str], int]:
    """Return how many levels are shown, by checkpoint."""
    assignment = rules.assignment
    if rules.is_free:
        return lambda checkpoint: HINT_LEVELS_MAX
    if assignment.hints_after == 0 or assignment.hint_levels <= KIND_LEVEL:
        return lambda checkpoint: assignment.hint_levels
    progress = record.of_student(session, rules.course, rules.account_id, rules.exercise)
    tried_enough = {name for name, entry in progress.items() if entry.attempts > assignment.hints_after}
    return lambda checkpoint: assignment.hint_levels if checkpoint in tried_enough else KIND_LEVEL


def _cut(diagnosis: list[dict[str, Any]], levels: int, counterexamples: bool) -> list[dict[str, Any]]:
    if levels == 0 or not diagnosis:  # at level 0 not even the code: it names the kind
        return []
    hints = [_hints(each, levels, counterexamples) for each in diagnosis]
    return [
        {"code": each["code"], "message": " ".join(shown), "hints": shown}
        for each, shown in zip(diagnosis, hints, strict=True)
    ]


def _hints(diagnosis: dict[str, Any], levels: int, counterexamples: bool) -> list[str]:
    shown = list(diagnosis["hints"][:levels])
    if levels == HINT_LEVELS_MAX and counterexamples and diagnosis.get("counterexample"):
        shown.append(diagnosis["counterexample"])
    return shown
