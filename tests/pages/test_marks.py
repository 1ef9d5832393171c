"""The marks of rows, and the strip of all steps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from grader.compare import Verdict
from server.pages.marks import WORDS, Mark, mark_of
from server.pages.page import HERE, TEMPLATES

SPRITE = (HERE / "templates/parts/marks.svg").read_text()
STYLE = "".join(each.read_text() for each in (HERE / "assets/css").glob("*.css"))


@dataclass(frozen=True)
class Row:
    """What a strip reads of a row."""

    verdict: str | None
    origin: str | None = None


def part(name: str) -> Any:
    """Return the macros of a template."""
    return TEMPLATES.get_template(f"parts/{name}.html").module


@pytest.mark.parametrize(
    ("verdict", "origin", "mark"),
    [
        ("exact", None, Mark.EXACT),
        ("approximate", None, Mark.APPROXIMATE),
        ("rounding", None, Mark.ROUNDING),
        ("wrong", "own", Mark.OWN),
        ("wrong", "inherited", Mark.INHERITED),
        ("wrong", "unknown", Mark.UNKNOWN),
        ("shape", None, Mark.OWN),
        ("not_finite", "inherited", Mark.INHERITED),
        ("missing", None, Mark.MISSING),
        (None, None, Mark.MISSING),
    ],
)
def test_a_row_has_the_mark_of_its_outcome(verdict: str | None, origin: str | None, mark: Mark) -> None:
    assert mark_of(verdict, origin) is mark


def test_every_verdict_has_a_mark_with_symbol_word_and_colour() -> None:
    marks = {mark_of(verdict, origin) for verdict in Verdict for origin in ("own", "inherited", "unknown")}

    assert marks == set(Mark) == set(WORDS)
    assert all(f'id="m-{mark}"' in SPRITE and f".v-{mark} " in STYLE for mark in marks)


def test_a_strip_draws_a_sign_for_each_row_and_says_what_it_shows() -> None:
    drawn = part("strip").strip([Row("exact"), Row("wrong", "own"), Row(None)], "1 of 3 steps <pass>")

    assert drawn.count('class="k ') == 3
    assert 'aria-label="1 of 3 steps &lt;pass&gt;"' in drawn
    assert "k-exact" in drawn and "k-own" in drawn and "k-missing" in drawn


def test_a_mark_says_its_word_unless_that_stands_beside_it() -> None:
    assert 'aria-label="own mistake"' in part("mark").mark("wrong", "own")
    assert 'aria-hidden="true"' in part("mark").mark("wrong", "own", "")
