"""Light or dark: kept in a cookie, so that a page is drawn right at once and without a script."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from fastapi import Request, Response

COOKIE: Final = "dojo_theme"
MAX_AGE_SECONDS: Final = 365 * 24 * 3600


class Theme(StrEnum):
    """What somebody chose. ``SYSTEM`` follows the device."""

    SYSTEM = "system"
    LIGHT = "light"
    DARK = "dark"


def theme_of(request: Request) -> Theme:
    """Return the theme that a browser was given."""
    value = request.cookies.get(COOKIE, "")
    return Theme(value) if value in set(Theme) else Theme.SYSTEM


def keep(response: Response, theme: Theme, *, secure: bool) -> None:
    """Let a browser keep a theme. Scripts may change it, because the button in the head does."""
    response.set_cookie(COOKIE, theme.value, max_age=MAX_AGE_SECONDS, samesite="lax", secure=secure)
