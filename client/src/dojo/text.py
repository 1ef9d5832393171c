"""Text for a terminal: foreign text without control characters, and times of the lecture."""

from __future__ import annotations

import re
from typing import Any

_ESCAPE_SEQUENCE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|.)?")
# Control characters except tab and newline, and the marks that reverse the direction of writing.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def printable(text: str) -> str:
    """Return the text without escape sequences and control characters.

    A server's text must not control the student's terminal.
    """
    return _CONTROL.sub("", _ESCAPE_SEQUENCE.sub("", text.replace("\r\n", "\n")))


def printable_json(value: Any) -> Any:
    """Return a JSON value in which every string is printable."""
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, list):
        return [printable_json(item) for item in value]
    if isinstance(value, dict):
        return {printable(key): printable_json(item) for key, item in value.items()}
    return value


def clock(seconds: float) -> str:
    """Return a time as a video player shows it: 781 → ``13:01``, 3915 → ``1:05:15``."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def plural(count: int, noun: str) -> str:
    """Return a count with its noun: ``1 answer``, ``2 answers``."""
    return f"{count} {noun}{'' if count == 1 else 's'}"
