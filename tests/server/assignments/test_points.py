"""Points by the rules of an assignment: lateness, the best level of a step, weights and scale."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from grader.compare import Origin, Verdict
from server.assignments.assignment import Assignment
from server.assignments.points import (
    Earned,
    Moments,
    assignment_points,
    earn,
    late_by,
    late_factor,
    step_points,
)
from server.tables import LatePolicy

DUE = datetime(2026, 12, 1, 22, 0, tzinfo=UTC)
DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)
STEPS = ("a", "b", "c")

PLAIN = Assignment(
    course_id=1,
    exercise="a/b",
    inherited_share=0.5,
    hint_levels=3,
    hints_after=0,
    counterexamples=True,
    due_at=DUE,
    late_policy=LatePolicy.DAILY,
    late_per_day=0.1,
    late_floor=0.25,
    points=30.0,
)

shares = st.floats(0, 1)
moments_in_time = st.integers(-4 * 86_400, 30 * 86_400).map(lambda seconds: DUE + timedelta(seconds=seconds))
extension_lists = st.lists(moments_in_time, max_size=3)
assignments = st.builds(
    lambda **fields: replace(PLAIN, **fields),
    due_at=st.sampled_from([DUE, None]),
    late_policy=st.sampled_from(LatePolicy),
    late_per_day=shares,
    late_floor=shares,
    grace_minutes=st.integers(0, 3000),
    points=st.none() | st.floats(0, 1000),
    checkpoint_points=st.dictionaries(st.sampled_from(STEPS), st.floats(0, 10)),
    approximate_share=shares,
    inherited_share=shares,
)
answers = st.tuples(
    st.sampled_from(STEPS),
    st.sampled_from([Verdict.EXACT, Verdict.ROUNDING, Verdict.WRONG]),
    st.sampled_from([Origin.OWN, Origin.INHERITED]),
    st.booleans(),
    moments_in_time,
)
answer_lists = st.lists(answers, max_size=6)
some_examples = settings(max_examples=60, deadline=None)


def earliest(one: datetime | None, other: datetime | None) -> datetime | None:
    return min((each for each in (one, other) if each is not None), default=None)


def moments_of(handed_in: list[tuple[str, Verdict, Origin, bool, datetime]]) -> dict[str, Moments]:
    """Return the first moments of each step, as progress keeps them."""
    first: dict[str, Moments] = {}
    for step, verdict, origin, constant, at in handed_in:
        new = Moments.of_answer(verdict, None if verdict.passed else origin, constant, at)
        old = first.get(step, Moments())
        first[step] = Moments(*(earliest(getattr(old, name), getattr(new, name)) for name in vars(new)))
    return first


@pytest.mark.parametrize(
    ("after_due", "days"),
    [(-DAY, 0), (0 * DAY, 0), (SECOND, 1), (DAY, 1), (DAY + SECOND, 2), (timedelta(microseconds=1), 1)],
)
def test_a_day_begun_counts(after_due: timedelta, days: int) -> None:
    assert late_factor(PLAIN, DUE + after_due) == pytest.approx(1 - 0.1 * days)


def test_lateness_begins_after_the_grace_and_the_latest_extension() -> None:
    graced = replace(PLAIN, grace_minutes=10)
    minutes = timedelta(minutes=1)

    assert late_factor(graced, DUE + 10 * minutes) == 1
    assert late_by(graced, DUE + 11 * minutes) == minutes
    assert late_factor(graced, DUE + DAY + 10 * minutes, [DUE - DAY, DUE + DAY]) == 1
    assert late_factor(graced, DUE + DAY + 11 * minutes, [DUE - DAY, DUE + DAY]) == 0.9


def test_the_floor_holds_and_no_other_policy_counts_days() -> None:
    month_late = DUE + 30 * DAY

    assert late_factor(PLAIN, month_late) == 0.25
    assert late_factor(replace(PLAIN, late_floor=0.0), month_late) == 0
    assert late_factor(replace(PLAIN, late_policy=LatePolicy.NONE), month_late) == 1
    assert late_factor(replace(PLAIN, late_policy=LatePolicy.CLOSED), DUE + SECOND) == 0
    assert late_factor(replace(PLAIN, due_at=None), month_late) == 1


def test_a_step_earns_its_best_level() -> None:
    assignment = replace(PLAIN, approximate_share=0.8)

    # in time within rounding: 0.8; exact a day late: 0.9; exact three days late: 0.7
    assert earn(assignment, Moments(DUE + SECOND, DUE)) == Earned(0.9, late_days=1)
    assert earn(assignment, Moments(DUE + 3 * DAY, DUE)) == Earned(0.8, late_days=0)
    assert earn(assignment, Moments(None, None, DUE)) == Earned(0.5)
    assert earn(assignment, Moments()) == Earned()


def test_steps_add_up_by_weight_to_the_points_of_the_assignment() -> None:
    weighted = replace(PLAIN, checkpoint_points={"a": 4.0})
    in_time = Moments(DUE, DUE)

    assert step_points(weighted, "a", in_time) == 4
    assert assignment_points(weighted, STEPS, {"a": in_time}).points == pytest.approx(20)
    assert assignment_points(weighted, STEPS, {"a": in_time, "b": Moments(None, None, DUE)}).points == pytest.approx(
        22.5
    )
    assert assignment_points(replace(weighted, points=None), STEPS, {"a": in_time}).points_max == 6
    assert assignment_points(weighted, STEPS, {"gone": in_time}).points == 0


def test_the_days_late_are_those_of_what_earned_something() -> None:
    late = Moments(None, None, DUE + 5 * DAY)

    assert assignment_points(PLAIN, STEPS, {"a": Moments(DUE, DUE), "b": late}).late_days == 5
    assert assignment_points(replace(PLAIN, inherited_share=0.0), STEPS, {"b": late}).late_days == 0


def test_a_step_below_a_constant_earns_nothing() -> None:
    guarded = Moments.of_answer("wrong", "inherited", True, DUE)

    assert earn(PLAIN, guarded).share == 0
    assert earn(PLAIN, Moments.of_answer("wrong", "inherited", False, DUE)).share == 0.5


@some_examples
@given(assignments, answer_lists, extension_lists, moments_in_time)
def test_a_longer_extension_never_lowers_points(
    assignment: Assignment,
    handed_in: list[tuple[str, Verdict, Origin, bool, datetime]],
    extensions: list[datetime],
    further: datetime,
) -> None:
    moments = moments_of(handed_in)

    before = assignment_points(assignment, STEPS, moments, extensions).points
    added = assignment_points(assignment, STEPS, moments, [*extensions, further]).points
    lengthened = assignment_points(assignment, STEPS, moments, [each + DAY for each in extensions]).points

    assert added >= before
    assert lengthened >= before


@some_examples
@given(assignments, st.lists(answers, max_size=4), extension_lists)
def test_the_order_of_answers_plays_no_part(
    assignment: Assignment,
    handed_in: list[tuple[str, Verdict, Origin, bool, datetime]],
    extensions: list[datetime],
) -> None:
    earned = {
        assignment_points(assignment, STEPS, moments_of(list(order)), extensions) for order in permutations(handed_in)
    }
    reversed_names = assignment_points(assignment, STEPS[::-1], moments_of(handed_in), extensions[::-1])

    assert earned == {reversed_names}


@some_examples
@given(assignments, answer_lists, extension_lists, answers)
def test_points_stay_within_the_maximum_and_a_further_answer_takes_none_away(
    assignment: Assignment,
    handed_in: list[tuple[str, Verdict, Origin, bool, datetime]],
    extensions: list[datetime],
    further: tuple[str, Verdict, Origin, bool, datetime],
) -> None:
    before = assignment_points(assignment, STEPS, moments_of(handed_in), extensions)
    after = assignment_points(assignment, STEPS, moments_of([*handed_in, further]), extensions)

    assert 0 <= before.points <= after.points <= after.points_max
