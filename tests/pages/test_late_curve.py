"""What a late answer is worth, drawn."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

from server.assignments.assignment import Assignment
from server.pages.late_curve import BOTTOM, TOP, LateCurve, late_curve
from server.tables import CourseRow, LatePolicy

BERLIN = ZoneInfo("Europe/Berlin")
PRACTICE = Assignment.open_practice(CourseRow(id=1, slug="a", title="A"), "a/b")
DUE = datetime(2026, 12, 1, 22, 59, tzinfo=UTC)
DAILY = replace(PRACTICE, due_at=DUE, late_policy=LatePolicy.DAILY, late_per_day=0.25, late_floor=0.5)


def heights(curve: LateCurve | None) -> list[float]:
    """The shares that a curve steps down to, in percent."""
    assert curve is not None
    found = [float(height) for height in re.findall(r"V([\d.]+)", curve.curve)]
    return [round(100 * (BOTTOM - height) / (BOTTOM - TOP), 1) for height in found]


def test_without_a_due_time_there_is_no_curve() -> None:
    assert late_curve(PRACTICE, BERLIN) is None


def test_each_day_steps_down_to_the_floor() -> None:
    curve = late_curve(DAILY, BERLIN)

    assert heights(curve) == [75.0, 50.0]
    assert curve is not None and curve.grace_x is None
    assert curve.sentence.endswith("25 percent less for each begun day, never less than 50 percent.")


def test_a_closed_one_falls_to_nothing_after_its_grace() -> None:
    curve = late_curve(replace(DAILY, late_policy=LatePolicy.CLOSED, grace_minutes=360), BERLIN)

    assert heights(curve) == [0.0]
    assert curve is not None and curve.grace_x is not None and curve.grace_x > curve.due_x
    assert f"H{curve.grace_x:g}V{BOTTOM:g}" in curve.curve


def test_one_that_counts_in_full_is_flat() -> None:
    assert heights(late_curve(replace(DAILY, late_policy=LatePolicy.NONE), BERLIN)) == []


def test_the_axis_has_the_days_of_the_zone() -> None:
    curve = late_curve(DAILY, BERLIN)

    assert curve is not None
    assert [tick.label for tick in curve.ticks][:2] == ["1 Dec", "2 Dec"]
    assert all(one.x < other.x for one, other in pairwise(curve.ticks))
