"""Standard output: in colour on a terminal, plain text elsewhere."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

# What a step is, as one character of a progress bar. Each has a word as well: colour and shape are never the only sign.
MARKS = {
    "exact": ("█", "#"),
    "approximate": ("≈", "~"),
    "rounding": ("±", "r"),
    "own": ("✗", "x"),
    "inherited": ("↑", "^"),
    "unknown": ("?", "?"),
    "missing": ("·", "."),
}


class Screen:
    """Standard output.

    ``colour`` is False in pipes, with NO_COLOR and on dumb terminals. ``width`` is the terminal's, or None in a pipe.
    """

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(markup=False, highlight=False, emoji=False)
        self.is_terminal = self.console.is_terminal
        self.colour = self.is_terminal and not self.console.is_dumb_terminal and not self.console.no_color
        self._utf8 = (self.console.encoding or "").lower().startswith("utf")
        self.yes, self.no = ("✓", "✗") if self._utf8 else ("yes", "no")

    @property
    def width(self) -> int | None:
        """The width of the terminal, or None in a pipe."""
        return self.console.width if self.is_terminal else None

    def mark(self, kind: str) -> str:
        """Return the character for a kind of step, one of ``MARKS``."""
        letter, ascii_letter = MARKS[kind]
        return letter if self._utf8 else ascii_letter

    def print(self, text: str = "", style: str = "") -> None:
        """Print a line or a paragraph. Lines are wrapped only in a terminal."""
        self.print_text(Text(text, style=style))

    def print_text(self, text: Text, indent: int = 0) -> None:
        """Print a text with styles of its own. A terminal gets its lines wrapped, and each as far to the right."""
        if not self.is_terminal:
            self._print_plain("\n".join(" " * indent + line for line in text.plain.split("\n")))
            return
        for line in text.wrap(self.console, max(self.console.width - indent, 10)):
            line.pad_left(indent)
            line.rstrip()
            self._print_styled(line)

    def print_line(self, text: str, style: str = "") -> None:
        """Print a line of a table, which is never wrapped here."""
        if self.is_terminal:
            self._print_styled(Text(text, style=style))
        else:
            self._print_plain(text)

    def _print_styled(self, line: Text) -> None:
        self.console.print(line if self.colour else Text(line.plain), soft_wrap=True)

    def print_table(self, table: Table) -> None:
        """Print a table."""
        self.console.print(table)

    def clear(self) -> None:
        """Clear a terminal, and leave a pipe alone."""
        if self.is_terminal and not self.console.is_dumb_terminal:
            self.console.clear()

    def _print_plain(self, text: str) -> None:
        """Print text to a pipe. Letters that it cannot encode become ``?``."""
        encoding = self.console.encoding
        print(text.encode(encoding, errors="replace").decode(encoding), file=self.console.file, flush=True)
