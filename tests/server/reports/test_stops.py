"""At what code stops, read from what a run said."""

from __future__ import annotations

import pytest

from server.reports.stops import Stop, stop_of
from server.spreadsheet import defused

HEAD = "Traceback (most recent call last):\n"
FRAME = '  File "solution.py", line 7, in <module>\n    {}\n'
CHECKPOINTS = {"h", "counts"}


@pytest.mark.parametrize(
    ("status", "message", "stop"),
    [
        ("error", HEAD + FRAME.format("dh = dlogits @ W3.T") + "NameError: x", Stop("error", "NameError", "h")),
        ("error", HEAD + FRAME.format("dcounts += 1") + "TypeError", Stop("error", "TypeError", "counts")),
        ("error", HEAD + FRAME.format("dcounts[0] = y") + "KeyError: 1", Stop("error", "KeyError", "counts")),
        ("error", HEAD + FRAME.format("dother = y") + "NameError: y", Stop("error", "NameError")),
        ("error", HEAD + FRAME.format("if dh == 1:") + "RuntimeError: no", Stop("error", "RuntimeError")),
        (
            "error",
            FRAME.format("dh = (") + "    ^\nSyntaxError: '(' was never closed",
            Stop("error", "SyntaxError", "h"),
        ),
        (
            "error",
            HEAD + FRAME.format("dh = f()") + FRAME.format("return 1 / 0") + "ZeroDivisionError: by zero\nLook there.",
            Stop("error", "ZeroDivisionError"),
        ),
        ("time_limit", "It ran for 10 s.", Stop("time_limit")),
        ("error", "", Stop("error")),
    ],
)
def test_a_stop_has_a_status_an_error_and_a_step(status: str, message: str, stop: Stop) -> None:
    assert stop_of(status, message, CHECKPOINTS) == stop


def test_a_stop_is_said_in_words() -> None:
    assert Stop("error", "NameError", "h").phrase == "stops with NameError in the line of dh"
    assert Stop("time_limit").phrase == "runs out of time"
    assert Stop("of a newer server").phrase == "stops with an error"


@pytest.mark.parametrize("text", ["=1", "＝1", "﹢1", "−1", " =1", "\u200b=1", "\t1", "\rx", "\n", "＠x", "\ufeff+1"])
def test_what_a_spreadsheet_would_run_is_shown(text: str) -> None:
    assert defused(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "Ada", "O'Hara", "a=1", "Ada + Bob", "李"])
def test_other_text_stays(text: str) -> None:
    assert defused(text) == text
