"""The kinds of mistakes, and what a hypothesis yields: a finding, without sentences."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum


class Code(StrEnum):
    """The kind of a mistake, as grades, REST and analytics show it."""

    MISSING_TERM = "missing_term"
    DOUBLE_COUNTED = "double_counted"
    TERM_SIGN = "term_sign"
    TERM_SCALE = "term_scale"
    SIGN = "sign"
    SCALE = "scale"
    TRANSPOSED = "transposed"
    NOT_REDUCED = "not_reduced"
    WRONG_AXIS = "wrong_axis"
    MISSING_UPSTREAM = "missing_upstream"
    MISSING_LOCAL = "missing_local"
    OVERWRITTEN = "overwritten"
    SWAPPED = "swapped"
    ALIASED = "aliased"
    UNKNOWN = "unknown"


class Finding:
    """A way in which a hypothesis explains an answer.

    ``code`` and ``form`` choose the message in ``grader.diagnosis.messages``. ``at`` are the steps whose lines to look
    at; without any, all lines from the answer on are meant. ``values`` are what the message names.
    """

    __slots__ = ("at", "code", "form", "values")

    def __init__(self, code: Code, form: str, at: str | Sequence[str] = (), **values: object) -> None:
        self.code = code
        self.form = form
        self.at = (at,) if isinstance(at, str) else tuple(at)
        self.values = values
