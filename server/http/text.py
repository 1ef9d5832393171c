"""Text that people write, checked alike on both databases.

PostgreSQL takes no NUL, UTF-8 no lone surrogate, and a terminal obeys control characters. A label such as a name or a
title also identifies, so two that look the same must be the same: nothing of it is invisible.
"""

from __future__ import annotations

import unicodedata
from typing import Final

from server.http.problems import Unprocessable

COMMENT_LENGTH_MAX: Final = 4000
REASON_LENGTH_MAX: Final = 500
CONTROLS: Final = ("Cc", "Cf", "Cs")  # controls, invisible formats such as turned writing, surrogates
UNKNOWN: Final = ("Cn", "Co")  # not assigned, for private use
# ZERO WIDTH NON-JOINER and JOINER are invisible, and part of words in Persian and Indian scripts, and of emoji.
JOINERS: Final = frozenset("\u200c\u200d")
# Letters and marks by category, and yet nothing is seen of them: fillers, blanks, and selectors without a purpose here.
FILLERS: Final = frozenset(
    chr(code)
    for code in (0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x180B, 0x180C, 0x180D, 0x180E, 0x180F, 0x2800, 0x3164, 0xFFA0)
) | frozenset(map(chr, range(0xFE00, 0xFE0F)))


class BadText(Unprocessable):
    """A text that cannot be kept or shown."""

    title, slug = "Not a text", "bad-text"


def is_control(letter: str) -> bool:
    """Return whether a character controls what is around it, or is half of one; no text may hold it."""
    return unicodedata.category(letter) in CONTROLS and letter not in JOINERS


def is_invisible(letter: str) -> bool:
    """Return whether nothing, or not the same everywhere, is seen of a character; no label may hold it."""
    return is_control(letter) or letter in FILLERS or unicodedata.category(letter) in UNKNOWN


def one_line(text: str) -> str:
    """Return a text in one line, composed (NFC), with single spaces."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def clean_comment(text: str) -> str:
    """Return a text of several lines, composed (NFC), without space around it.

    :raises BadText: it is empty, too long, or holds control characters
    """
    return _clean(text.replace("\r\n", "\n"), "comment", COMMENT_LENGTH_MAX, "\n\t")


def clean_reason(text: str) -> str:
    """Return a text in one line, composed (NFC), without space around it.

    :raises BadText: it is empty, too long, or holds control characters
    """
    return _clean(text, "reason", REASON_LENGTH_MAX, "")


def _clean(text: str, what: str, length_max: int, allowed: str) -> str:
    text = unicodedata.normalize("NFC", text).strip()
    if not 1 <= len(text) <= length_max:
        raise BadText(f"A {what} has 1 to {length_max} characters; this one has {len(text)}. Send it again.")
    if any(is_control(letter) and letter not in allowed for letter in text):
        raise BadText(f"The {what} holds control characters or other invisible ones. Send it without them.")
    return text
