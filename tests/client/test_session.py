"""docs/session.txt is what a terminal shows today."""

from __future__ import annotations

import re
from pathlib import Path

from rich.text import Text

from tests.client.session import HEIGHT, PAGES, WIDTH, record_both

PAGE = PAGES[""].read_text(encoding="utf-8")


def test_the_pages_are_what_a_terminal_shows(tmp_path: Path) -> None:
    shown = record_both(tmp_path)

    pages = {name: page.read_text(encoding="utf-8") for name, page in PAGES.items()}
    again = "write them again: python -m tests.client.session"
    assert shown[""] == pages[""], again
    assert without_lots(shown["colour"]) == without_lots(pages["colour"]), again


def without_lots(page: str) -> str:
    """A page without its differences: the second student has the hidden numbers by lot, the first in their order."""
    return re.sub(r" +\| exact: (\w+) *\| approximate: (\w+) *\| maxdiff: [0-9.e-]+", r" | \1 | \2", page)


def test_each_result_fits_on_one_screen() -> None:
    results = PAGE.split("$ ")[1:]

    assert len(results) > 8
    for result in results:
        assert len(result.splitlines()) < HEIGHT
        assert max(map(len, result.splitlines())) <= WIDTH


def test_colour_is_the_only_difference() -> None:
    coloured = PAGES["colour"].read_text(encoding="utf-8")

    plain = Text.from_ansi(coloured).plain
    assert coloured.count("\x1b[") > 100 > PAGE.count("\x1b")
    numbers = re.compile(r"(?:submission|show|restore) \d+|maxdiff: \S+")  # the second student's are others
    assert numbers.sub("", plain).split() == numbers.sub("", PAGE).split()


def test_three_mistakes_are_found_one_by_one() -> None:
    results = PAGE.split("$ dojo submit solution.py\n")[1:]
    assert [re.search(r"^(\w+) +\| exact: False", result, re.MULTILINE)[1] for result in results[:3]] == [  # type: ignore[index]
        "counts",
        "hpreact",
        "C",
    ]
    assert "All 26 steps pass" in results[3]
