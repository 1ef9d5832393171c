"""The door: what the pages for joining and for signing in have in common."""

from __future__ import annotations

from functools import cache
from typing import Annotated, Final
from urllib.parse import urlsplit

from fastapi import Depends, Request, Response

from exercises import registry
from grader.compare import Comparison, Verdict
from server.pages import session as sessions
from server.pages.device import device_of
from server.pages.graph import GraphShown, by_verdicts
from server.pages.page import Page
from server.pages.session import is_secure
from server.submissions.schemas import ComparisonBody

HOME: Final = "/courses"
ADDRESS_LENGTH_MAX: Final = 500
STEPS_SHOWN: Final = 9  # as far as somebody is after a first hour


async def device(request: Request) -> str:
    """Return what the browser that sent a request is called."""
    return device_of(request.headers.get("user-agent", ""))


TheDevice = Annotated[str, Depends(device)]


def own_path(address: str) -> str:
    """Return an address if it is a path of this server, else the first page: a link must not lead elsewhere.

    Browsers read ``\\`` as ``/``, leave out tabs and line ends, and take ``//`` for the name of another server.
    """
    is_plain = address.isascii() and address.isprintable() and "\\" not in address
    if not is_plain or not address.startswith("/") or len(address) > ADDRESS_LENGTH_MAX:
        return HOME
    try:
        parts = urlsplit(address)
    except ValueError:
        return HOME
    return HOME if address.startswith("//") or parts.scheme or parts.netloc else address


def come_in(page: Page, address: str, token: str | None) -> Response:
    """Lead somebody who came in to a page; a token is the session of their browser from now on."""
    response = page.go(address)
    if token is not None:
        sessions.begin(response, token, secure=is_secure(page.request))
    return response


@cache
def picture() -> GraphShown:
    """Return the graph beside the door: that of the largest exercise, some steps from its loss passed."""
    exercise = max(registry.exercises().values(), key=lambda each: len(each.checkpoints))
    rows = {
        each.name: ComparisonBody(**Comparison(each.name, Verdict.EXACT, exact=True, approximate=True).as_json())
        for each in exercise.checkpoints[:STEPS_SHOWN]
    }
    return by_verdicts(exercise, rows, {})
