"""Standard output: in colour on a terminal, plain text elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rich.cells import cell_len
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
_WORD = re.compile(r"\S+\s*")


class Screen:
    """Standard output.

    ``colour`` is False in pipes, with NO_COLOR and on dumb terminals. ``width`` is the terminal's, or None in a pipe.
    ``utf8`` says whether it shows every letter.
    """

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(markup=False, highlight=False, emoji=False)
        self.is_terminal = self.console.is_terminal
        self.colour = self.is_terminal and not self.console.is_dumb_terminal and not self.console.no_color
        self.utf8 = (self.console.encoding or "").lower().startswith("utf")
        self.yes, self.no = ("✓", "✗") if self.utf8 else ("yes", "no")

    @property
    def width(self) -> int | None:
        """The width of the terminal, or None in a pipe."""
        return self.console.width if self.is_terminal else None

    def mark(self, kind: str) -> str:
        """Return the character for a kind of step, one of ``MARKS``."""
        letter, ascii_letter = MARKS[kind]
        return letter if self.utf8 else ascii_letter

    def print(self, text: str = "", style: str = "") -> None:
        """Print a line or a paragraph. Lines are wrapped only in a terminal."""
        self.print_text(Text(text, style=style))

    def print_text(self, text: Text, indent: int = 0, lead: str = "") -> None:
        """Print a text with styles of its own. A terminal gets its lines wrapped, and each as far to the right.

        The first line begins with ``lead``, such as a number. A word that is longer than a line, such as a link, stays
        whole: who copies it gets all of it.
        """
        if self.is_terminal:
            lines = list(_wrapped(text, max(self.console.width - indent, 10)))
        else:
            lines = list(text.split("\n", allow_blank=True))
        for number, line in enumerate(lines):
            line.rstrip()
            begun = Text.assemble((lead if number == 0 else "").ljust(indent), line)
            if self.is_terminal:
                self._print_styled(begun)
            else:
                self._print_plain(begun.plain)

    def print_line(self, text: str, style: str = "") -> None:
        """Print a line of a table, which is never wrapped here."""
        if self.is_terminal:
            self._print_styled(Text(text, style=style))
        else:
            self._print_plain(text)

    def print_plot(self, line: Text) -> None:
        """Print a line of a plot, which has styles of its own and is never wrapped."""
        if self.is_terminal:
            self._print_styled(line)
        else:
            self._print_plain(line.plain.rstrip())

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


def _wrapped(text: Text, width: int) -> Iterator[Text]:
    """Yield the lines of a text, broken between words. rich would split a word that is longer than a line."""
    for line in text.split("\n", allow_blank=True):
        starts: list[int] = []
        used = cell_len(line.plain) - cell_len(line.plain.lstrip())
        for number, word in enumerate(_WORD.finditer(line.plain)):
            length = cell_len(word[0].rstrip())
            if number and used + length > width:
                starts.append(word.start())
                used = 0
            used += cell_len(word[0])
        yield from line.divide(starts)
