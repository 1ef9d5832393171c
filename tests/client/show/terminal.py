"""A terminal of any width, for tests."""

from __future__ import annotations

import io

from rich.console import Console

from dojo.show.screen import Screen


def terminal(width: int, **settings: str) -> tuple[Screen, io.StringIO]:
    file = io.StringIO()
    environ = {"TERM": "xterm-256color", **settings}
    console = Console(file=file, force_terminal=True, width=width, markup=False, highlight=False, _environ=environ)
    return Screen(console), file
