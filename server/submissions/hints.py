"""Hints: how much of a diagnosis a course shows its students, and from which attempt on.

A diagnosis has three levels: the kind of the mistake, the line of the forward pass, what to look at there. With the
last comes a counterexample, unless the course keeps it back. A diagnosis is stored whole with the grade and cut when it
is read. So a change of the course's setting counts at once, for old submissions too. Staff see everything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session

from server.courses.access import Membership
from server.courses.courses import HINT_LEVELS_MAX
from server.courses.roles import Permission
from server.progress import record
from server.submissions.schemas import ComparisonBody

KIND_LEVEL = 1  # shown from the first attempt on


@dataclass(frozen=True)
class Owner:
    """Whose attempts count, and in which exercise."""

    account_id: int
    exercise: str


def visible_rows(
    session: Session, reader: Membership, owner: Owner, rows: Iterable[Mapping[str, Any]]
) -> list[ComparisonBody]:
    """Return the rows of a grade, with as much of each diagnosis as the reader may see."""
    levels = _levels(session, reader, owner)
    shown = reader.course.counterexamples or reader.may(Permission.READ_SUBMISSIONS)
    return [
        ComparisonBody.model_validate({**row, "diagnosis": _cut(row["diagnosis"], levels(row["name"]), shown)})
        for row in rows
    ]


def _levels(session: Session, reader: Membership, owner: Owner) -> Callable[[str], int]:
    """Return how many levels the reader sees, by checkpoint."""
    course = reader.course
    if reader.may(Permission.READ_SUBMISSIONS):
        return lambda checkpoint: HINT_LEVELS_MAX
    if course.hints_after == 0 or course.hint_levels <= KIND_LEVEL:
        return lambda checkpoint: course.hint_levels
    progress = record.of_student(session, course, owner.account_id, owner.exercise)
    tried_enough = {name for name, entry in progress.items() if entry.attempts > course.hints_after}
    return lambda checkpoint: course.hint_levels if checkpoint in tried_enough else KIND_LEVEL


def _cut(diagnosis: list[dict[str, Any]], levels: int, counterexamples: bool) -> list[dict[str, Any]]:
    if levels == 0:  # not even the code: it names the kind
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
