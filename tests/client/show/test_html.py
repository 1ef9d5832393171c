"""Tables and strips in a notebook: each verdict has a mark and words, not only a colour."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from dojo.api.responses import Checkpoint, Comparison, Grade
from dojo.show import html
from dojo.show.jupyter import Results

ROWS = {
    "exact": Comparison("a", "exact", True, True, 0.0),
    "approximate": Comparison("a", "approximate", False, True, 1e-9),
    "rounding: passes": Comparison("a", "rounding", False, False, 1e-4),
    "wrong here": Comparison("a", "wrong", maxdiff=1.0, origin="own"),
    "inherited": Comparison("a", "wrong", maxdiff=1.0, origin="inherited"),
    "here or above": Comparison("a", "wrong", maxdiff=1.0, origin="unknown"),
    "not there yet": Comparison("a", "missing"),
}


def grade(*rows: Comparison) -> Grade:
    return Grade(rows, (), None, "", "", "")


def results(*rows: Comparison, remarks: tuple[str, ...] = ()) -> Results:
    return Results(None, grade(*rows), remarks, (Checkpoint("a"), Checkpoint("b")), {"a": "exact"})


def text(page: str) -> str:
    return re.sub(r"<[^>]*>", "|", page)


@pytest.mark.parametrize("words", ROWS)
def test_each_verdict_is_told_in_words(words: str) -> None:
    assert words in text(html.grade_table(grade(ROWS[words])))


def test_each_verdict_has_its_own_mark_or_words() -> None:
    told = [re.sub(r"^.*?\|\|a\|", "", text(html.grade_table(grade(row))))[:40] for row in ROWS.values()]

    assert len(set(told)) == len(ROWS)


@pytest.mark.parametrize("verdict", ["shape", "dtype", "not_finite", "something new"])
def test_a_step_that_cannot_be_compared_is_wrong_here(verdict: str) -> None:
    assert html.sign(verdict) == html.WRONG


def test_rounding_counts_as_passed() -> None:
    strip = html.progress_strip((Checkpoint("a"), Checkpoint("b")), {"a": "rounding", "b": "unknown"})

    assert "1 of 2 so far" in strip


def test_the_page_has_the_summary_of_this_run() -> None:
    page = results(ROWS["wrong here"], Comparison("b", "exact", True, True, 0.0))._repr_html_()

    assert "1 of 2 pass, 1 exact; 1 mistake of your own" in page
    assert "1 of 2 so far" in page


def test_coming_late_stands_on_the_page_and_in_the_text() -> None:
    told = results(ROWS["exact"])
    late = replace(told, grade=replace(told.grade, late_seconds=7300, late_factor=0.85))

    assert "3 hours late: 85 % of the points count." in late._repr_html_()
    assert "3 hours late: 85 % of the points count." in repr(late).splitlines()
    assert "late" not in repr(told)


def test_remarks_stand_on_the_page_and_in_the_text() -> None:
    told = results(ROWS["exact"], remarks=("dh is <None>.",))

    assert "dh is &lt;None&gt;." in told._repr_html_()
    assert "dh is <None>." in repr(told).splitlines()


def test_a_mistake_that_may_be_above_is_not_counted_as_own() -> None:
    assert grade(ROWS["here or above"]).summary() == "0 of 1 pass, 0 exact"
