"""What becomes of late answers, in a sentence."""

from __future__ import annotations

from server.assignments.assignment import Assignment
from server.tables import LatePolicy


def late_sentence(assignment: Assignment) -> str | None:
    """Return what becomes of a late answer, for a student; None without a due time."""
    if assignment.due_at is None:
        return None
    grace = assignment.grace_minutes
    minutes = f"{grace} minute{'s' * (grace != 1)}"
    if assignment.late_policy is LatePolicy.NONE:
        return "Late answers count in full."
    if assignment.late_policy is LatePolicy.CLOSED:
        return f"It closes {minutes} after the due time." if grace else "It closes at the due time."
    floor = f", down to {_percent(assignment.late_floor)}" if assignment.late_floor else ""
    sentence = f"Each day late takes {_percent(assignment.late_per_day)} of the points{floor}."
    return f"{sentence} The first {minutes} {'is' if grace == 1 else 'are'} free." if grace else sentence


def _percent(share: float) -> str:
    return f"{share * 100:.4g} %"
