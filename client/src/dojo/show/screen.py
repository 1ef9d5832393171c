"""Standard output: in colour on a terminal, plain text elsewhere."""

from __future__ import annotations

import sys

from rich.console import Console
from rich.table import Table
from rich.text import Text


class Screen:
    """Standard output. ``colour`` is False in pipes, with NO_COLOR and on dumb terminals."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(markup=False, highlight=False, emoji=False)
        self.colour = self.console.is_terminal and not self.console.is_dumb_terminal and not self.console.no_color
        utf8 = (self.console.encoding or "").lower().startswith("utf")
        self.yes, self.no = ("✓", "✗") if utf8 else ("yes", "no")

    def print(self, text: str = "", style: str = "") -> None:
        """Print a line or a paragraph. Lines are wrapped only in a terminal."""
        if self.colour:
            self.console.print(Text(text, style=style))
        else:
            print_plain(text)

    def print_table(self, table: Table) -> None:
        """Print a table."""
        self.console.print(table)


def print_plain(text: str) -> None:
    """Print a line without colours. Letters that the output cannot encode become ``?``."""
    encoding = sys.stdout.encoding or "utf-8"
    print(text.encode(encoding, errors="replace").decode(encoding))
