"""Points: what the answers of a student earn by the rules of an assignment. Pure: no database, no clock.

1. A step has three levels: exact, passed (within rounding), inherited (its only mistake is above it). Each has a share.
2. Each level counts from the first answer that reached it. Its share is multiplied by the late factor of that answer.
3. A step earns the best of its levels, times its weight; an assignment the sum, scaled to its points.

Lateness begins after the due time, the person's latest extension and the grace. A day that has begun counts: a second
late is one day. Days have 24 hours. So a longer extension never lowers points, and the order of answers plays no part.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Self

from grader.compare import Origin, Verdict
from server.assignments.assignment import Assignment
from server.tables import LatePolicy, ProgressRow

DAY: Final = timedelta(days=1)


@dataclass(frozen=True)
class Moments:
    """When the first answer was handed in that was exact, passed, or had its only mistake above. None: none was."""

    first_exact_at: datetime | None = None
    first_passed_at: datetime | None = None
    first_inherited_at: datetime | None = None

    @classmethod
    def of(cls, row: ProgressRow) -> Self:
        """Return the moments of a student's progress at a checkpoint."""
        return cls(row.first_exact_at, row.first_passed_at, row.first_inherited_at)

    @classmethod
    def of_answer(cls, verdict: str, origin: str | None, inherits_constant: bool, handed_in_at: datetime) -> Self:
        """Return the moments of a step of which there is one answer, with this comparison."""
        return cls(
            handed_in_at if verdict == Verdict.EXACT else None,
            handed_in_at if Verdict(verdict).passed else None,
            handed_in_at if origin == Origin.INHERITED and not inherits_constant else None,
        )


@dataclass(frozen=True)
class Earned:
    """What a step earns: a share of its points, 0 to 1, and how many days late the answer came that earns it."""

    share: float = 0.0
    late_days: int = 0


@dataclass(frozen=True)
class Counts:
    """How many checkpoints of one answer are exact, passed (the exact ones among them), inherited, and in all."""

    exact: int
    passed: int
    inherited: int
    total: int


@dataclass(frozen=True)
class Points:
    """What an assignment earns. ``late_days`` is the most of its steps."""

    points: float
    points_max: float
    late_days: int = 0


def late_by(assignment: Assignment, handed_in_at: datetime, extensions: Iterable[datetime] = ()) -> timedelta:
    """Return how long after the due time, the latest of these extensions and the grace an answer came; 0 if in time."""
    due_at = assignment.due_for(extensions)
    if due_at is None:
        return timedelta(0)
    return max(handed_in_at - due_at - timedelta(minutes=assignment.grace_minutes), timedelta(0))


def days_begun(late: timedelta) -> int:
    """Return how many days have begun: none in time, one for a second."""
    return -(-late // DAY)


def factor_of(assignment: Assignment, late_days: int) -> float:
    """Return what is left of a point so many days late, 0 to 1."""
    if late_days <= 0 or assignment.late_policy is LatePolicy.NONE:
        return 1.0
    if assignment.late_policy is LatePolicy.CLOSED:
        return 0.0
    # Rounded: 1 - 3 * 0.1 is 0.7, and nothing else.
    left = round(1.0 - late_days * max(assignment.late_per_day, 0.0), 9)
    return min(max(left, assignment.late_floor, 0.0), 1.0)


def late_factor(assignment: Assignment, handed_in_at: datetime, extensions: Iterable[datetime] = ()) -> float:
    """Return what is left of the points of an answer for its lateness, 0 to 1."""
    return factor_of(assignment, days_begun(late_by(assignment, handed_in_at, extensions)))


def earn(assignment: Assignment, moments: Moments, extensions: Collection[datetime] = ()) -> Earned:
    """Return what a step earns: the best of its levels. Where two earn the same, the earlier one counts."""
    levels = (
        (1.0, moments.first_exact_at),
        (assignment.approximate_share, moments.first_passed_at),
        (assignment.inherited_share, moments.first_inherited_at),
    )
    best = Earned()
    for share, handed_in_at in levels:
        if handed_in_at is None:
            continue
        days = days_begun(late_by(assignment, handed_in_at, extensions))
        level = Earned(min(max(share, 0.0), 1.0) * factor_of(assignment, days), days)
        if level.share > best.share or (level.share == best.share > 0 and days < best.late_days):
            best = level
    return best


def step_weight(assignment: Assignment, checkpoint: str) -> float:
    """Return what a checkpoint weighs: 1 unless the assignment says otherwise."""
    return max(assignment.checkpoint_points.get(checkpoint, 1.0), 0.0)


def points_max(assignment: Assignment, checkpoints: Iterable[str]) -> float:
    """Return what the whole assignment is worth: its points, or the weights of its checkpoints in all."""
    if assignment.points is not None:
        return max(assignment.points, 0.0)
    return math.fsum(step_weight(assignment, name) for name in checkpoints)


def step_points(
    assignment: Assignment, checkpoint: str, moments: Moments, extensions: Collection[datetime] = ()
) -> float:
    """Return the weight that a step earns, before it is scaled to the points of the assignment."""
    return step_weight(assignment, checkpoint) * earn(assignment, moments, extensions).share


def assignment_points(
    assignment: Assignment,
    checkpoints: Collection[str],
    moments: Mapping[str, Moments],
    extensions: Collection[datetime] = (),
) -> Points:
    """Return what a student earns in an assignment.

    :param checkpoints: those of the exercise today. What was handed in for another one earns nothing.
    :param moments: by checkpoint; one that is missing was never right.
    """
    weight_max = math.fsum(step_weight(assignment, name) for name in checkpoints)
    earned = [
        (step_weight(assignment, name), earn(assignment, moments[name], extensions))
        for name in checkpoints
        if name in moments
    ]
    return scaled(points_max(assignment, checkpoints), weight_max, earned)


def counted_points(
    assignment: Assignment, counts: Counts, handed_in_at: datetime, extensions: Collection[datetime] = ()
) -> Points:
    """Return what one answer earns in an assignment whose checkpoints all weigh the same."""
    moment = handed_in_at
    levels = (
        (counts.exact, Moments(moment, moment)),
        (counts.passed - counts.exact, Moments(None, moment)),
        (counts.inherited, Moments(None, None, moment)),
    )
    earned = [(float(count), earn(assignment, moments, extensions)) for count, moments in levels]
    most = float(counts.total) if assignment.points is None else max(assignment.points, 0.0)
    return scaled(most, counts.total, earned)


def scaled(most: float, weight_max: float, earned: Iterable[tuple[float, Earned]]) -> Points:
    """Return the sum of what weights earned, scaled so that all of ``weight_max`` gives ``most``."""
    counted = [(weight, each) for weight, each in earned if weight * each.share > 0]
    if not counted or weight_max == 0:
        return Points(0.0, most)
    share = math.fsum(weight * each.share for weight, each in counted) / weight_max
    return Points(min(share, 1.0) * most, most, max(each.late_days for _, each in counted))
