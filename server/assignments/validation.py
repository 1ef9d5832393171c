"""Which values the rules of an assignment may have. Pure: no database, no clock."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from server.courses.courses import HINT_LEVELS_MAX, HINTS_AFTER_MAX
from server.courses.local_time import YEARS
from server.http.problems import Unprocessable
from server.tables import AssignmentRow, Feedback, LatePolicy

# What a change may name; the rest is the key, the place, and what follows from the change.
FIELDS: Final = frozenset(AssignmentRow.model_fields) - {"course_id", "exercise", "position", "version", "changed_at"}
SHARES: Final = ("late_per_day", "late_floor", "approximate_share", "inherited_share")
ATTEMPTS_MAX: Final = 1000
POINTS_MAX: Final = 10_000
GRACE_MINUTES_MAX: Final = 7 * 24 * 60


@dataclass(frozen=True)
class Fault:
    """What is wrong with the rules of an assignment: the field, and a sentence."""

    field: str
    sentence: str


class BadAssignment(Unprocessable):
    """Rules that no assignment can have. ``faults`` say what is wrong, by field."""

    title, slug = "Not an assignment", "bad-assignment"

    def __init__(self, detail: str, faults: Sequence[Fault] = ()) -> None:
        super().__init__(detail)
        self.faults = faults


def check(row: AssignmentRow, checkpoints: Collection[str]) -> None:
    """Do nothing if an assignment can have these rules.

    :param checkpoints: the names of the exercise's
    :raises BadAssignment: it cannot; the detail has a sentence for each fault
    """
    faults = [*_faults_of_dates(row), *_faults_of_points(row, checkpoints), *_faults_of_attempts(row)]
    if faults:
        sentences = " ".join(fault.sentence for fault in faults)
        raise BadAssignment(f"{sentences} Correct that and send it again.", faults)


def _faults_of_dates(row: AssignmentRow) -> Iterator[Fault]:
    for name in ("opens_at", "due_at"):
        moment: datetime | None = getattr(row, name)
        if moment is not None and moment.year not in YEARS:
            yield Fault(name, f"{name} must be in the years {YEARS[0]} to {YEARS[-1]}.")
    if row.opens_at is not None and row.due_at is not None and row.opens_at >= row.due_at:
        yield Fault("opens_at", "opens_at must be before due_at.")
    if row.due_at is None and row.late_policy is not LatePolicy.NONE:
        yield Fault("late_policy", f"The late policy {row.late_policy.value!r} needs a due_at.")
    if row.due_at is None and row.feedback is Feedback.AFTER_DUE:
        yield Fault("feedback", "The feedback 'after_due' needs a due_at.")
    if row.late_policy is LatePolicy.DAILY and row.late_per_day == 0:
        yield Fault("late_per_day", "The late policy 'daily' needs a late_per_day above 0.")
    if not 0 <= row.grace_minutes <= GRACE_MINUTES_MAX:
        yield Fault("grace_minutes", f"grace_minutes must be 0 to {GRACE_MINUTES_MAX}, a week.")


def _faults_of_points(row: AssignmentRow, checkpoints: Collection[str]) -> Iterator[Fault]:
    for name in SHARES:
        share: float | None = getattr(row, name)
        if share is not None and not 0 <= share <= 1:
            yield Fault(name, f"{name} must be a share from 0 to 1.")
    if row.points is not None and not 0 < row.points <= POINTS_MAX:
        yield Fault("points", f"points must be above 0 and at most {POINTS_MAX}.")
    unknown = [name for name in row.checkpoint_points if name not in checkpoints]
    if unknown:
        yield Fault(
            "checkpoint_points",
            f"checkpoint_points names no checkpoint with {unknown[0][:64]!r}; there are: {', '.join(checkpoints)}.",
        )
    if any(not 0 <= weight <= POINTS_MAX for weight in row.checkpoint_points.values()):
        yield Fault("checkpoint_points", f"A weight in checkpoint_points must be 0 to {POINTS_MAX}.")
    elif checkpoints and all(row.checkpoint_points.get(name, 1) == 0 for name in checkpoints):
        yield Fault("checkpoint_points", "A weight in checkpoint_points must be above 0; all of them are 0.")


def _faults_of_attempts(row: AssignmentRow) -> Iterator[Fault]:
    if row.attempts_max is not None and not 1 <= row.attempts_max <= ATTEMPTS_MAX:
        yield Fault("attempts_max", f"attempts_max must be 1 to {ATTEMPTS_MAX}, or nothing for any number.")
    if row.feedback is Feedback.AFTER_ATTEMPTS and not 1 <= row.feedback_after <= ATTEMPTS_MAX:
        yield Fault("feedback_after", f"The feedback 'after_attempts' needs a feedback_after of 1 to {ATTEMPTS_MAX}.")
    elif not 0 <= row.feedback_after <= ATTEMPTS_MAX:
        yield Fault("feedback_after", f"feedback_after must be 0 to {ATTEMPTS_MAX}.")
    elif row.feedback is Feedback.AFTER_ATTEMPTS and row.attempts_max and row.feedback_after > row.attempts_max:
        yield Fault(
            "feedback_after", f"feedback_after is above attempts_max, {row.attempts_max}: feedback would never show."
        )
    if row.hint_levels is not None and not 0 <= row.hint_levels <= HINT_LEVELS_MAX:
        yield Fault("hint_levels", f"hint_levels must be 0 to {HINT_LEVELS_MAX}, or nothing for the course's.")
    if row.hints_after is not None and not 0 <= row.hints_after <= HINTS_AFTER_MAX:
        yield Fault("hints_after", f"hints_after must be 0 to {HINTS_AFTER_MAX}, or nothing for the course's.")
