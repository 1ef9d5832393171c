"""Text that people write: comments and reasons, checked alike on both databases.

PostgreSQL takes no NUL, UTF-8 no lone surrogate, and a terminal obeys control characters.
"""

from __future__ import annotations

import unicodedata
from typing import Final

from server.http.problems import Unprocessable

COMMENT_LENGTH_MAX: Final = 4000
REASON_LENGTH_MAX: Final = 500
REFUSED_CATEGORIES: Final = ("Cc", "Cf", "Cs")  # controls, invisible formats such as turned writing, surrogates
JOINERS: Final = "\u200c\u200d"  # belong to words of some languages, and to emoji


class BadText(Unprocessable):
    """A text that cannot be kept or shown."""

    title, slug = "Not a text", "bad-text"


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
    if any(unicodedata.category(letter) in REFUSED_CATEGORIES and letter not in JOINERS + allowed for letter in text):
        raise BadText(f"The {what} holds control characters or other invisible ones. Send it without them.")
    return text
