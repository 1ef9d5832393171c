"""Rules as values: who may do what at which moment, and when feedback shows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from server.assignments.assignment import Assignment, NotAssigned
from server.courses.access import Archived
from server.http.problems import Problem
from server.rules.problems import ChecksClosed, Closed, FeedbackWithheld, KindNotAccepted, NotOpenYet
from server.rules.rules import Rules
from server.tables import Accepts, AnswerKind, CourseRow, Feedback, LatePolicy

DUE = datetime(2026, 12, 1, 22, 0, tzinfo=UTC)
SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)
COURSE = CourseRow(id=1, slug="autumn", title="Autumn", time_zone="Europe/Berlin")
ARCHIVED = CourseRow(id=1, slug="autumn", title="Autumn", archived_at=DUE)

moments = st.integers(-100, 100).map(lambda hours: DUE + hours * HOUR)
assignments = st.fixed_dictionaries(
    {
        "opens_at": st.none() | moments,
        "due_at": st.none() | moments,
        "grace_minutes": st.integers(0, 600),
        "late_policy": st.sampled_from(LatePolicy),
        "accepts": st.sampled_from(Accepts),
        "feedback": st.sampled_from(Feedback),
        "feedback_after": st.integers(0, 3),
        "checks_open": st.booleans(),
    }
)


def rules(moment: datetime, *, course: CourseRow = COURSE, **fields: Any) -> Rules:
    """The rules of an assignment for a student without extensions."""
    assignment = replace(Assignment.open_practice(course, "a/b"), **fields)
    return Rules(course, 7, assignment, moment, due_at=assignment.due_at)


def refusal(what: Callable[[], None]) -> type[Problem] | None:
    """The kind of refusal, or None."""
    try:
        what()
    except Problem as problem:
        return type(problem)
    return None


def refusals(asked: Rules) -> list[type[Problem] | None]:
    """What is refused, of everything that can be asked."""
    return [
        refusal(asked.require_readable),
        refusal(lambda: asked.require_open(AnswerKind.CODE)),
        refusal(lambda: asked.require_open(AnswerKind.TENSORS)),
        refusal(asked.require_checkable),
        refusal(asked.require_feedback),
    ]


def test_open_practice_refuses_nothing() -> None:
    assert refusals(rules(DUE)) == [None] * 5


@pytest.mark.parametrize(("late", "is_refused"), [(-SECOND, True), (timedelta(0), False), (SECOND, False)])
def test_an_exercise_opens_at_its_moment(late: timedelta, is_refused: bool) -> None:
    expected = NotOpenYet if is_refused else None

    assert refusals(rules(DUE + late, opens_at=DUE)) == [expected] * 4 + [None]


@pytest.mark.parametrize(("late", "is_refused"), [(10 * 60 * SECOND, False), (10 * 60 * SECOND + SECOND, True)])
@pytest.mark.parametrize("policy", LatePolicy)
def test_only_the_closed_policy_refuses_and_after_the_grace(
    policy: LatePolicy, late: timedelta, is_refused: bool
) -> None:
    asked = rules(DUE + late, due_at=DUE, grace_minutes=10, late_policy=policy)

    expected = Closed if is_refused and policy is LatePolicy.CLOSED else None
    assert refusals(asked) == [None, expected, expected, expected, None]


@pytest.mark.parametrize(
    ("accepts", "expected"),
    [
        (Accepts.BOTH, [None, None]),
        (Accepts.CODE, [None, KindNotAccepted]),
        (Accepts.TENSORS, [KindNotAccepted, None]),
    ],
)
def test_an_answer_is_of_a_kind_that_is_accepted(accepts: Accepts, expected: list[type[Problem] | None]) -> None:
    assert refusals(rules(DUE, accepts=accepts)) == [None, *expected, None, None]


def test_an_archived_course_can_be_read_and_takes_nothing_in() -> None:
    asked = rules(DUE, course=ARCHIVED)

    assert refusals(asked) == [None, Archived, Archived, Archived, None]
    assert refusals(replace(asked, is_free=True)) == refusals(asked)


@pytest.mark.parametrize(
    ("hours", "policy", "course", "is_free", "answers"),
    [
        (-30, LatePolicy.CLOSED, COURSE, False, "later"),
        (-30, LatePolicy.CLOSED, COURSE, True, "open"),
        (-30, LatePolicy.CLOSED, ARCHIVED, False, "closed"),
        (-1, LatePolicy.CLOSED, COURSE, False, "open"),
        (1, LatePolicy.CLOSED, COURSE, False, "closed"),
        (1, LatePolicy.CLOSED, COURSE, True, "open"),
        (1, LatePolicy.DAILY, COURSE, False, "open"),
    ],
)
def test_answers_are_taken_from_the_opening_until_they_are_refused(
    hours: int, policy: LatePolicy, course: CourseRow, is_free: bool, answers: str
) -> None:
    dates = {"opens_at": DUE - 24 * HOUR, "due_at": DUE}
    asked = replace(rules(DUE + hours * HOUR, course=course, late_policy=policy, **dates), is_free=is_free)

    assert asked.answers == answers
    assert (refusal(lambda: asked.require_open(AnswerKind.CODE)) is None) == (answers == "open")


def test_what_is_not_assigned_is_not_found() -> None:
    assert refusals(replace(rules(DUE), is_assigned=False)) == [NotAssigned] * 4 + [None]


def test_checks_are_closed_by_the_assignment_and_while_feedback_is_withheld() -> None:
    assert refusal(rules(DUE, checks_open=False).require_checkable) is ChecksClosed
    withheld = rules(DUE, feedback=Feedback.AFTER_DUE, due_at=DUE)
    assert refusal(withheld.require_checkable) is FeedbackWithheld


@pytest.mark.parametrize(
    ("fields", "attempts", "sentence"),
    [
        ({}, 0, None),
        ({"feedback": Feedback.AFTER_ATTEMPTS, "feedback_after": 0}, 0, None),
        (
            {"feedback": Feedback.AFTER_ATTEMPTS, "feedback_after": 3},
            2,
            "Feedback shows after 3 attempts at a/b; 2 of them are made.",
        ),
        ({"feedback": Feedback.AFTER_ATTEMPTS, "feedback_after": 3}, 3, None),
        (
            {"feedback": Feedback.AFTER_DUE, "due_at": DUE, "grace_minutes": 30},
            9,
            "Feedback shows after 2026-12-01 23:30 (Europe/Berlin).",
        ),
        ({"feedback": Feedback.AFTER_DUE, "due_at": DUE - HOUR}, 0, None),
        (
            {"feedback": Feedback.AFTER_DUE},
            0,
            "Feedback shows after the due time, which is not set yet. Ask your instructor.",
        ),
    ],
)
def test_feedback_shows_when_the_assignment_says(fields: dict[str, Any], attempts: int, sentence: str | None) -> None:
    asked = replace(rules(DUE, **fields), attempts=attempts)

    assert asked.withheld == sentence
    assert replace(asked, is_free=True).withheld is None


@settings(max_examples=40)
@given(assignments, moments, st.integers(0, 4), st.booleans())
def test_staff_are_refused_nothing_in_an_active_course(
    fields: dict[str, Any], moment: datetime, attempts: int, is_assigned: bool
) -> None:
    asked = replace(rules(moment, **fields), attempts=attempts, is_free=True, is_assigned=is_assigned)

    assert refusals(asked) == [None] * 5


@settings(max_examples=80)
@given(assignments, moments, st.integers(0, 300))
@example({"due_at": DUE, "late_policy": LatePolicy.CLOSED}, DUE + HOUR, 2)
@example({"due_at": DUE, "feedback": Feedback.AFTER_DUE}, DUE + HOUR, 2)
def test_a_later_due_time_opens_and_withholds(fields: dict[str, Any], moment: datetime, hours: int) -> None:
    asked = rules(moment, **fields)
    later = replace(asked, due_at=asked.due_at and asked.due_at + hours * HOUR)

    for kind in AnswerKind:  # what was taken is still taken
        if refusal(lambda kind=kind: asked.require_open(kind)) is None:  # type: ignore[misc]
            later.require_open(kind)
    assert later.withheld is None or asked.withheld is not None or asked.is_over  # and nothing shows that did not
    assert asked.withheld is None or later.withheld is not None


@settings(max_examples=80)
@given(assignments, moments, st.integers(0, 300), st.integers(0, 4))
def test_time_only_shows_and_closes(fields: dict[str, Any], moment: datetime, hours: int, attempts: int) -> None:
    before = replace(rules(moment, **fields), attempts=attempts)
    after = replace(before, moment=moment + hours * HOUR)

    assert after.withheld is None or before.withheld is not None
    assert refusal(after.require_readable) in (None, refusal(before.require_readable))
    if refusal(before.require_checkable) is Closed:
        assert refusal(after.require_checkable) is Closed


@settings(max_examples=80)
@given(assignments, moments, st.integers(0, 4))
def test_nothing_is_checked_live_that_feedback_would_not_show(
    fields: dict[str, Any], moment: datetime, attempts: int
) -> None:
    asked = replace(rules(moment, **fields), attempts=attempts)

    assert asked.withheld is None or refusal(asked.require_checkable) is not None
