"""The rules of an assignment: a sentence for each fault, and what is told of lateness."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from server.assignments import validation
from server.assignments.assignment import Assignment
from server.assignments.lateness import late_sentence
from server.assignments.validation import BadAssignment
from server.tables import AssignmentRow, CourseRow, Feedback, LatePolicy

DUE = datetime(2026, 12, 1, 22, 0, tzinfo=UTC)
COURSE = CourseRow(id=1, slug="autumn", title="Autumn")


def row(**fields: Any) -> AssignmentRow:
    return AssignmentRow(course_id=1, exercise="a/b", position=0, **fields)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"opens_at": DUE, "due_at": DUE}, "opens_at must be before due_at."),
        ({"due_at": DUE.replace(year=1999)}, "due_at must be in the years 2000 to 2200."),
        ({"late_policy": LatePolicy.CLOSED}, "The late policy 'closed' needs a due_at."),
        ({"feedback": Feedback.AFTER_DUE}, "The feedback 'after_due' needs a due_at."),
        ({"late_policy": LatePolicy.DAILY, "due_at": DUE}, "needs a late_per_day above 0."),
        ({"grace_minutes": -1}, "grace_minutes must be 0 to 10080, a week."),
        ({"late_per_day": 10.0}, "late_per_day must be a share from 0 to 1."),
        ({"late_floor": 1.01}, "late_floor must be a share from 0 to 1."),
        ({"approximate_share": math.nan}, "approximate_share must be a share from 0 to 1."),
        ({"inherited_share": -0.1}, "inherited_share must be a share from 0 to 1."),
        ({"points": 0.0}, "points must be above 0 and at most 10000."),
        ({"points": math.inf}, "points must be above 0 and at most 10000."),
        ({"checkpoint_points": {"x": 1.0}}, "names no checkpoint with 'x'; there are: h, w."),
        ({"checkpoint_points": {"h": -1.0}}, "A weight in checkpoint_points must be 0 to 10000."),
        ({"checkpoint_points": {"h": 0, "w": 0}}, "A weight in checkpoint_points must be above 0"),
        ({"attempts_max": 0}, "attempts_max must be 1 to 1000"),
        ({"feedback": Feedback.AFTER_ATTEMPTS}, "needs a feedback_after of 1 to 1000."),
        ({"feedback_after": -1}, "feedback_after must be 0 to 1000."),
        (
            {"feedback": Feedback.AFTER_ATTEMPTS, "feedback_after": 3, "attempts_max": 2},
            "feedback_after is above attempts_max, 2: feedback would never show.",
        ),
        ({"hint_levels": 4}, "hint_levels must be 0 to 3"),
        ({"hints_after": -1}, "hints_after must be 0 to 1000"),
    ],
)
def test_a_fault_is_refused_with_a_sentence(fields: dict[str, Any], sentence: str) -> None:
    with pytest.raises(BadAssignment) as refused:
        validation.check(row(**fields), ["h", "w"])

    assert sentence in refused.value.detail
    assert refused.value.detail.endswith("Correct that and send it again.")
    assert {fault.field for fault in refused.value.faults} <= {*fields, "late_per_day", "feedback_after"}


def test_every_fault_has_its_sentence() -> None:
    with pytest.raises(BadAssignment) as refused:
        validation.check(row(points=-1.0, attempts_max=0, grace_minutes=-5), ["h"])

    assert refused.value.detail.count(" must be ") == 3


def test_what_is_possible_is_taken() -> None:
    fields: dict[str, Any] = {
        "opens_at": DUE - timedelta(days=7),
        "due_at": DUE,
        "late_per_day": 0.1,
        "late_floor": 0.5,
    }

    validation.check(
        row(**fields, late_policy=LatePolicy.DAILY, checkpoint_points={"h": 0}, attempts_max=3), ["h", "w"]
    )


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({}, None),
        ({"due_at": DUE}, "Late answers count in full."),
        ({"due_at": DUE, "late_policy": LatePolicy.CLOSED}, "It closes at the due time."),
        (
            {"due_at": DUE, "late_policy": LatePolicy.CLOSED, "grace_minutes": 15},
            "It closes 15 minutes after the due time.",
        ),
        (
            {"due_at": DUE, "late_policy": LatePolicy.DAILY, "late_per_day": 0.1, "late_floor": 0.5},
            "Each day late takes 10 % of the points, down to 50 %.",
        ),
        (
            {"due_at": DUE, "late_policy": LatePolicy.DAILY, "late_per_day": 0.125, "grace_minutes": 1},
            "Each day late takes 12.5 % of the points. The first 1 minute is free.",
        ),
    ],
)
def test_lateness_is_told_in_a_sentence(fields: dict[str, Any], sentence: str | None) -> None:
    assert late_sentence(Assignment.of(row(**fields), COURSE)) == sentence
