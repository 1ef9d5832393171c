"""What a browser calls itself, in words that its owner knows again."""

from __future__ import annotations

from typing import Final

# The first that is found counts: Edge also says Chrome, and Chrome also says Safari.
_BROWSERS: Final = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
_SYSTEMS: Final = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "Chromebook"),
    ("Windows", "Windows"),
    ("Mac OS X", "Mac"),
    ("Linux", "Linux"),
)
UNKNOWN: Final = "A browser"


def device_of(user_agent: str) -> str:
    """Return a browser and its system, such as ``Firefox on Linux``."""
    browser = next((name for sign, name in _BROWSERS if sign in user_agent), UNKNOWN)
    system = next((name for sign, name in _SYSTEMS if sign in user_agent), None)
    return browser if system is None else f"{browser} on {system}"
