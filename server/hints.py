"""Hints: how much of a diagnosis a course tells its students, and from which attempt on.

A diagnosis has three levels: the kind of the mistake, the line of the forward pass, what to look at there. It is
kept whole with the grade and cut down whenever it is told, so that a change of the course's setting counts at once,
for old submissions too. Staff are told everything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from sqlmodel import Session

from server import progress, schemas
from server.courses import MOST_HINT_LEVELS
from server.models import Course, Role, Submission

KIND = 1  # the level that is told at the first attempt, where the others come later


def told_rows(
    session: Session, course: Course, role: Role, submission: Submission, rows: Iterable[Mapping[str, Any]]
) -> list[schemas.Comparison]:
    """The rows of a grade, as somebody of this role may read them."""
    levels = _levels(session, course, role, submission)
    return [schemas.Comparison.model_validate({**row, "diagnosis": _told(row, levels(row["name"]))}) for row in rows]


def _levels(session: Session, course: Course, role: Role, submission: Submission) -> Callable[[str], int]:
    """Checkpoint → how many levels to tell."""
    if role is Role.INSTRUCTOR:
        return lambda name: MOST_HINT_LEVELS
    if course.hints_after == 0 or course.hint_levels <= KIND:
        return lambda name: course.hint_levels
    done = progress.of_student(session, course, submission.student_id, submission.exercise)
    patient = {name for name, entry in done.items() if entry.attempts > course.hints_after}
    return lambda name: course.hint_levels if name in patient else KIND


def _told(row: Mapping[str, Any], levels: int) -> list[dict[str, str]]:
    if levels == 0:  # not even the code: it is the kind
        return []
    return [{"code": each["code"], "message": " ".join(each["hints"][:levels])} for each in row["diagnosis"]]
