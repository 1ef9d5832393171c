"""Text for a terminal: foreign text without invisible characters, foreign JSON, and times of the lecture."""

from __future__ import annotations

import json
import math
import re
import unicodedata
from typing import Any, NoReturn

_ESCAPE_SEQUENCE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|.)?")
# ZERO WIDTH NON-JOINER and JOINER are invisible, and part of words in Persian and Indian scripts. The server keeps them
# in names, too; ``tests/client/test_both_sides.py`` compares.
_KEPT = "\n\t\u200c\u200d"
_LINE_BREAKS = "\u2028\u2029"
INTEGER_MAX = 2**53  # above that, JSON's numbers are not exact everywhere, and none of ours is so large


def printable(text: str) -> str:
    """Return the text without escape sequences and without invisible characters.

    A server's text must not control the student's terminal, nor turn the direction of writing. Removed are the Unicode
    categories C* (control, format, surrogate, private, unassigned) and the line separators.
    """
    if text.isascii() and text.isprintable():
        return text
    text = _ESCAPE_SEQUENCE.sub("", text.replace("\r\n", "\n"))
    return "".join(letter for letter in text if letter in _KEPT or not _is_invisible(letter))


def _is_invisible(letter: str) -> bool:
    return letter in _LINE_BREAKS or unicodedata.category(letter).startswith("C")


def printable_json(value: Any) -> Any:
    """Return a JSON value in which every string is printable."""
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, list):
        return [printable_json(item) for item in value]
    if isinstance(value, dict):
        return {printable(key): printable_json(item) for key, item in value.items()}
    return value


def foreign_json(text: str | bytes) -> Any:
    """Return a JSON value from elsewhere: its strings printable, its numbers finite and of a common size.

    :raises ValueError: the text is not JSON (RFC 8259), is nested too deeply, or holds another number
    """
    try:
        return printable_json(json.loads(text, parse_constant=_refuse, parse_float=_finite, parse_int=_common_size))
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def _refuse(number: str) -> NoReturn:
    raise ValueError(f"{number} is no number of JSON")


def _finite(number: str) -> float:
    value = float(number)
    return value if math.isfinite(value) else _refuse(number[:20])


def _common_size(number: str) -> int:
    if len(number) > 20 or abs(int(number)) > INTEGER_MAX:
        _refuse(number[:20])
    return int(number)


def plural(count: int, noun: str) -> str:
    """Return the count with the noun: ``1 answer``, ``2 answers``."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def duration(seconds: float) -> str:
    """Return a time in words, begun units counted: 5 → ``1 minute``, 7300 → ``3 hours``, 200,000 → ``3 days``."""
    if seconds <= 3600:
        return plural(max(math.ceil(seconds / 60), 1), "minute")
    if seconds <= 48 * 3600:
        return plural(math.ceil(seconds / 3600), "hour")
    return plural(math.ceil(seconds / 86_400), "day")


def clock(seconds: float) -> str:
    """Return a time as a video player shows it: 781 → ``13:01``, 3915 → ``1:05:15``."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
