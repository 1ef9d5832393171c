"""Text for a terminal."""

from __future__ import annotations

from dojo.text import clock


def test_clock() -> None:
    assert [clock(each) for each in (5, 781, 3915)] == ["0:05", "13:01", "1:05:15"]
