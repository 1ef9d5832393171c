"""Text for a terminal."""

from __future__ import annotations

import pytest

from dojo.text import clock, duration, foreign_json, printable


def test_clock() -> None:
    assert [clock(each) for each in (5, 781, 3915)] == ["0:05", "13:01", "1:05:15"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Zoë 数 👋", "Zoë 数 👋"),
        ("a\tb\r\nc\rd", "a\tb\ncd"),
        ("\x1b[31mred\x1b[0m \x1b]8;;https://evil.test\x07link", "red link"),
        ("a\u202eb\u2066c\u200ed\u061ce", "abcde"),
        ("a\u200bb\ufeffc\u00add\U000e0041e", "abcde"),
        ("\u0646\u200c\u0645", "\u0646\u200c\u0645"),
        ("a\ud800b\ue000c\u2028d", "abcd"),
        ("\x00\x07\x7f\x9b", ""),
    ],
)
def test_invisible_characters_are_removed(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_foreign_strings_are_printable_in_every_place() -> None:
    assert foreign_json('{"a\\u202e": ["\\ud800", {"b": "\\u0007"}], "c": 1.5, "d": -3, "e": null}') == {
        "a": ["", {"b": ""}],
        "c": 1.5,
        "d": -3,
        "e": None,
    }


def test_a_duration_counts_the_units_begun() -> None:
    shown = [duration(seconds) for seconds in (0, 61, 3600, 3601, 48 * 3600, 48 * 3600 + 1)]
    assert shown == ["1 minute", "2 minutes", "60 minutes", "2 hours", "48 hours", "3 days"]
