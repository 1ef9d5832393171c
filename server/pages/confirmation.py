"""A page that asks before something is done that is not easily undone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from fastapi import Response

from server.courses.access import Membership
from server.pages.fields import FormState
from server.pages.page import Page


@dataclass(frozen=True)
class Question:
    """What is asked: what would be done, in sentences, and the button that does it.

    ``action`` is where the form goes, ``back`` the page without it. ``typed`` is a word that has to be typed, and
    ``ticks`` are boxes by name. ``hidden`` are further fields.
    """

    title: str
    sentences: tuple[str, ...]
    button: str
    action: str
    back: str
    asks_reason: bool = False
    typed: str | None = None
    ticks: Mapping[str, str] = field(default_factory=dict)
    hidden: Mapping[str, str] = field(default_factory=dict)
    is_grave: bool = False


def ask(
    page: Page, question: Question, membership: Membership | None = None, state: FormState | None = None
) -> Response:
    """Return the page that asks; with a state, it is asked again, and the fault is shown."""
    state = state or FormState()
    status = 422 if state.is_wrong else 200
    return page.render("parts/confirmation.html", status, question=question, state=state, membership=membership)


def typed_wrong(state: FormState, word: str) -> bool:
    """Return whether another word was typed than the one that confirms; the fault is kept at its field."""
    if state.value("confirm") == word:
        return False
    state.faults["confirm"] = f"This is not “{word}”. Nothing was changed; type it again."
    return True
