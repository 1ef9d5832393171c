"""What an answer is worth by the time at which it is handed in, drawn. Pure: no database, no clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from server.assignments.assignment import Assignment
from server.assignments.points import DAY, factor_of
from server.tables import LatePolicy

WIDTH: Final = 388
HEIGHT: Final = 206
LEFT, RIGHT, TOP, BOTTOM = 34.0, 374.0, 26.0, 172.0
DAYS_SHOWN_MAX: Final = 8
DAYS_SHOWN_MIN: Final = 3


@dataclass(frozen=True)
class Tick:
    """A day on the axis."""

    x: float
    label: str


@dataclass(frozen=True)
class LateCurve:
    """The curve as paths of SVG, with its marks. ``grace_x`` is None without a grace that can be seen."""

    curve: str
    area: str
    due_x: float
    grace_x: float | None
    ticks: tuple[Tick, ...]
    sentence: str


def late_curve(assignment: Assignment, zone: ZoneInfo) -> LateCurve | None:
    """Return the curve of an assignment; None without a due time."""
    if assignment.due_at is None:
        return None
    days = _days_shown(assignment)
    grace = timedelta(minutes=assignment.grace_minutes)
    begin, end = assignment.due_at - DAY, assignment.due_at + grace + days * DAY

    def x(moment: datetime) -> float:
        return round(LEFT + (RIGHT - LEFT) * ((moment - begin) / (end - begin)), 1)

    steps = [(assignment.due_at + grace + day * DAY, factor_of(assignment, day + 1)) for day in range(days)]
    line, height = f"M{LEFT:g} {TOP:g}", TOP
    for moment, share in steps:
        below = _y(share)
        if below != height:
            line += f"H{x(moment):g}V{below:g}"
            height = below
    line += f"H{RIGHT:g}"
    area = f"{line}V{BOTTOM:g}H{LEFT:g}z"
    due_x, grace_x = x(assignment.due_at), x(assignment.due_at + grace)
    is_seen = grace_x - due_x >= 6
    ticks = tuple(Tick(x(moment), f"{moment:%-d %b}") for moment in _midnights(begin, end, zone))
    return LateCurve(line, area, due_x, grace_x if is_seen else None, _thinned(ticks), _sentence(assignment))


def _y(share: float) -> float:
    return round(BOTTOM - (BOTTOM - TOP) * share, 1)


def _days_shown(assignment: Assignment) -> int:
    """Return how many late days are shown: until nothing more is lost, and one more."""
    if assignment.late_policy is not LatePolicy.DAILY or assignment.late_per_day <= 0:
        return DAYS_SHOWN_MIN
    steps = 1
    while steps < DAYS_SHOWN_MAX and factor_of(assignment, steps + 1) < factor_of(assignment, steps):
        steps += 1
    return max(steps + 1, DAYS_SHOWN_MIN)


def _midnights(begin: datetime, end: datetime, zone: ZoneInfo) -> list[datetime]:
    """Return the beginnings of the days within, by the clocks of a zone."""
    first = begin.astimezone(zone).date() + timedelta(days=1)
    days = [first + timedelta(days=number) for number in range((end - begin).days + 2)]
    midnights = [datetime(day.year, day.month, day.day, tzinfo=zone) for day in days]
    return [moment for moment in midnights if begin <= moment <= end]


def _thinned(ticks: tuple[Tick, ...]) -> tuple[Tick, ...]:
    """Return as many as fit beside one another."""
    every = -(-len(ticks) // 6) or 1
    return ticks[::every]


def _sentence(assignment: Assignment) -> str:
    """Return what the curve shows, for who does not see it."""
    if assignment.late_policy is LatePolicy.NONE:
        return "An answer is worth the same whenever it is handed in."
    grace = assignment.grace_minutes
    free = f" and {grace} minutes of grace" if grace else ""
    if assignment.late_policy is LatePolicy.CLOSED:
        return f"An answer is worth everything until the due time{free}, and is not taken afterwards."
    cost, floor = assignment.late_per_day * 100, assignment.late_floor * 100
    least = f"never less than {floor:g} percent" if floor else "down to nothing"
    return (
        f"An answer is worth 100 percent until the due time{free}, {cost:g} percent less for each begun day, {least}."
    )
