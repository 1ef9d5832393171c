"""Words in a row are few, and say how many others there are."""

from __future__ import annotations

import pytest

from author.wording import listed


@pytest.mark.parametrize(
    ("words", "most", "row"),
    [
        ("a", None, "a"),
        ("ab", None, "a and b"),
        ("abcdefghij", None, "a, b, c, d, e, f, g, h, i and j"),
        ("abc", 3, "a, b and c"),
        ("abcd", 3, "a, b and 2 others"),
    ],
)
def test_words_stand_in_a_row(words: str, most: int | None, row: str) -> None:
    assert listed(list(words), most) == row
