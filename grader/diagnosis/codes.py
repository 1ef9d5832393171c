"""The kinds of mistakes, and what a hypothesis yields: a finding, without sentences."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from torch import Tensor


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


Repair = Tensor | Callable[[], Tensor | None]
"""The student's answer with the named mistakes mended and nothing else; or a function that computes it."""

Beside = tuple[str, Mapping[str, object]]
"""Another mistake in the same answer: a key of ``messages.BESIDES`` and the values that it names."""


@dataclass(frozen=True)
class NamedPart:
    """What a part of a gradient is called: by its author's name, or by the use that all of it comes through.

    Other parts may come through the same step, or to the same tensor. So both are named.
    """

    checkpoint: str
    read: str
    step: str
    name: str | None = None
    about: str | None = None


class Finding:
    """A way in which a hypothesis explains an answer.

    ``code`` and ``form`` choose the message in ``grader.diagnosis.messages``. ``at`` are the steps whose lines to look
    at; without any, all lines from the answer on are meant. ``values`` are what the message names.

    ``repair`` is judged by ``grader.diagnosis.repair``: nothing is said unless the repaired answer is right. It mends
    the mistake that is named and the mistakes of ``besides``, which are then said as well. Without a repair, the form
    must be one that ``repair.VERIFIED_OTHERWISE`` lists.
    """

    __slots__ = ("at", "besides", "code", "form", "repair", "values")

    def __init__(
        self,
        code: Code,
        form: str,
        at: str | Sequence[str] = (),
        repair: Repair | None = None,
        besides: Sequence[Beside] = (),
        **values: object,
    ) -> None:
        self.code = code
        self.form = form
        self.at = (at,) if isinstance(at, str) else tuple(at)
        self.repair = repair
        self.besides = tuple(besides)
        self.values = values
