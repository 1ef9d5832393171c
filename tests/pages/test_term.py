"""The line of time of a course."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from server.assignments.assignment import Assignment, Extension
from server.pages.term import NAMES, WIDTH, Term, term
from server.tables import CourseRow, LatePolicy

BERLIN = ZoneInfo("Europe/Berlin")
TODAY = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)
COURSE = CourseRow(id=1, slug="a", title="A")
OPEN = replace(Assignment.open_practice(COURSE, "a/one"), opens_at=TODAY - 9 * DAY, due_at=TODAY + 3 * DAY, position=0)
OVER = replace(OPEN, exercise="a/two", opens_at=None, due_at=TODAY - 2 * DAY)
TITLES = {"a/one": "One", "a/two": "Two"}


def drawn(*assignments: Assignment, extensions: tuple[Extension, ...] = ()) -> Term:
    """The line of these, today."""
    found = term(assignments, extensions, TITLES, TODAY, BERLIN)
    assert found is not None
    return found


def test_a_course_without_dates_has_no_line() -> None:
    assert term([Assignment.open_practice(COURSE, "a/one")], (), TITLES, TODAY, BERLIN) is None
    assert term([], (), TITLES, TODAY, BERLIN) is None


def test_everything_lies_right_of_the_names_in_the_order_of_time() -> None:
    line = drawn(OPEN, OVER)
    one, two = line.rows

    assert one.due_x is not None and two.due_x is not None
    assert NAMES <= one.open_x < two.due_x < line.today_x < one.due_x <= WIDTH
    assert (one.is_over, two.is_over) == (False, True)
    assert two.open_x == NAMES and one.y < two.y < line.height


def test_late_days_and_extensions_follow_the_due_time() -> None:
    late = replace(OPEN, late_policy=LatePolicy.DAILY, late_per_day=0.5)
    longer = Extension("a/one", 5, None, TODAY + 5 * DAY)
    (row,) = drawn(late, extensions=(longer, replace(longer, exercise="a/other"))).rows

    assert row.late_x is not None and row.due_x is not None and row.late_x > row.due_x
    assert len(row.extensions) == 1 and row.extensions[0] == row.late_x  # two days later, both
    assert row.sentence == "One opens 17 Nov 2026, 13:00 and is due 29 Nov 2026, 13:00, with 1 later due time"


def test_weeks_begin_on_mondays_and_labels_have_room() -> None:
    marks = drawn(OPEN, replace(OVER, due_at=TODAY + 40 * DAY)).marks
    labelled = [mark for mark in marks if mark.label]

    assert "23 Nov" in {mark.label for mark in labelled}
    assert any(mark.is_month for mark in marks)
    assert all(other.x - one.x >= 46 for one, other in pairwise(labelled))
