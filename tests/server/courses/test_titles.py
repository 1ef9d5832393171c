"""Titles and slugs of courses: the same are taken on both databases."""

from __future__ import annotations

import pytest

from server.courses import courses
from server.courses.courses import SlugTaken
from server.courses.titles import BadSlug, BadTitle, checked_slug, clean_title
from server.database.engine import Database


@pytest.mark.parametrize(
    "title",
    ["", " \n", "x" * 201, "x" * 300, "a\0b", "a\x1bb", "a\N{ZERO WIDTH SPACE}b", "a\N{HANGUL FILLER}b", "\ud800"],
)
def test_a_title_that_cannot_be_shown_is_refused(title: str) -> None:
    with pytest.raises(BadTitle, match=r"Choose another\.|without them\."):
        clean_title(title)


def test_a_title_is_kept_in_one_composed_line() -> None:
    assert clean_title("  Cafe\N{COMBINING ACUTE ACCENT}\n 2026 ") == "Café 2026"


@pytest.mark.parametrize("slug", ["", "-a", "A", "a_b", "a b", "x" * 65, "a\n", "../a"])
def test_a_slug_that_is_no_address_is_refused(slug: str) -> None:
    with pytest.raises(BadSlug, match="small letters"):
        checked_slug(slug)


def test_the_longest_title_and_slug_fit_both_databases(database: Database) -> None:
    title, slug = "\N{CAT FACE}" * 200, "x" * 64

    with database.writing() as session:
        courses.open_course(session, slug, title)
        with pytest.raises(SlugTaken, match="another slug"):
            courses.open_course(session, slug, "Again")
        with pytest.raises(BadTitle):
            courses.open_course(session, "spring", "x" * 300)

    with database.reading() as session:
        found = courses.find_course(session, slug)
    assert found is not None
    assert found.title == title
