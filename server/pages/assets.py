"""The files that pages load. ``make assets`` builds them from ``assets/`` and npm packages; a server needs neither."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Final

STATIC: Final = Path(__file__).parent / "static"
MANIFEST: Final = STATIC / "manifest.json"
PREFIX: Final = "/static"


@cache
def checksums() -> dict[str, str]:
    """Return the SHA-256 of each file that was built, by its name."""
    found: dict[str, str] = json.loads(MANIFEST.read_text())
    return found


def address(name: str) -> str:
    """Return the address of a file. It names the content, so a browser keeps it for ever.

    :raises KeyError: there is no such file
    """
    return f"{PREFIX}/{name}?v={checksums()[name][:12]}"
