"""The fields of a form: read with what is wrong in each, and shown again with what was typed."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Self
from zoneinfo import ZoneInfo

from starlette.datastructures import FormData, UploadFile

from server.courses.local_time import BadTime, local_text, parse
from server.http.problems import Problem
from server.pages.forms import text

SHOWN_TO_MEND: Final = (409, 412, 413, 415, 422)  # problems of what was typed, and not of who typed it


@dataclass
class FormState:
    """A form as a page shows it: the value of each field, and what is wrong, by field.

    A fault without a field stands under the empty name. ``labels`` name the fields in the list on top.
    """

    values: dict[str, str] = field(default_factory=dict)
    faults: dict[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, form: FormData, labels: Mapping[str, str] | None = None) -> Self:
        """Return the state of a form that was sent."""
        values = {name: value for name, value in form.multi_items() if isinstance(value, str)}
        return cls(values, {}, labels or {})

    @property
    def is_wrong(self) -> bool:
        """Whether anything is."""
        return bool(self.faults)

    def value(self, name: str) -> str:
        """Return what a field holds; nothing if it is not there."""
        return self.values.get(name, "")

    def label(self, name: str) -> str:
        """Return how the list on top calls a field."""
        return self.labels.get(name, name)

    def blame(self, problem: Problem, name: str = "") -> Self:
        """Keep what a function said against a form, at the field that is at fault if one is known.

        :raises Problem: it is none that typing something else mends
        """
        if problem.status not in SHOWN_TO_MEND:
            raise problem
        self.faults.setdefault(name, problem.for_page)
        return self


@dataclass
class Reader:
    """Reads the fields of a form, and keeps what is wrong in its state. What is wrong reads as None."""

    form: FormData
    state: FormState

    def words(self, name: str) -> str | None:
        """Return text; None if there is none."""
        return text(self.form, name) or None

    def is_on(self, name: str) -> bool:
        """Return whether a box was ticked."""
        return text(self.form, name) != ""

    def number(self, name: str, default: int | None = None) -> int | None:
        """Return a whole number; the default if the field is empty."""
        typed = text(self.form, name)
        if not typed:
            return default
        if not typed.isdecimal() or len(typed) > 9:
            self.state.faults[name] = "This is no whole number. Type one, or leave it empty."
            return None
        return int(typed)

    def decimal(self, name: str, default: float | None = None) -> float | None:
        """Return a number, with a point or a comma; the default if the field is empty."""
        typed = text(self.form, name).replace(",", ".")
        if not typed:
            return default
        try:
            value = float(typed)
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            self.state.faults[name] = "This is no number. Type one, or leave it empty."
            return None
        return value

    def percent(self, name: str, default: float | None = None) -> float | None:
        """Return a share that was typed in percent; the default if the field is empty."""
        value = self.decimal(name)
        if value is None:
            return default
        if not 0 <= value <= 100:
            self.state.faults[name] = "A share is 0 to 100 percent. Type one of these."
            return None
        return round(value / 100, 9)

    def choice(self, name: str, choices: Collection[str], default: str = "") -> str:
        """Return one of some words; the default if it is none of them."""
        typed = text(self.form, name)
        if typed in choices:
            return typed
        if typed:
            self.state.faults[name] = "This is none of the choices. Choose one of them."
        return default

    def moment(self, name: str, zone: ZoneInfo, kept: datetime | None = None) -> datetime | None:
        """Return a moment that was typed by the clocks of a zone.

        :param kept: what the field showed before; untouched, it stays, also where the clocks show that time twice
        """
        typed = text(self.form, name)
        if not typed or (kept is not None and typed == typed_moment(kept, zone)):
            return kept if typed else None
        try:
            return parse(typed, zone)
        except BadTime as problem:
            said = problem.for_page
            if "twice" in said:  # a field of this type holds no offset
                said = f"The clocks of {zone.key} show this time twice. Choose one an hour earlier or later."
            self.state.faults[name] = said
            return None

    def file(self, name: str) -> bytes | None:
        """Return the content of a file; None if none was chosen."""
        value = self.form.get(name)
        if not isinstance(value, UploadFile) or not value.filename:
            return None
        return value.file.read()


def typed_moment(moment: datetime | None, zone: ZoneInfo) -> str:
    """Return a moment as a field of type ``datetime-local`` holds it."""
    return "" if moment is None else local_text(moment, zone).replace(" ", "T")


def typed_number(value: float | None) -> str:
    """Return a number as a field holds it; nothing for None."""
    return "" if value is None else f"{value:.10g}"


def typed_percent(share: float | None) -> str:
    """Return a share as a field holds it, in percent; nothing for None."""
    return "" if share is None else f"{round(share * 100, 7):.10g}"
