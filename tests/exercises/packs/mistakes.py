"""The mistakes of ``mistakes.txt``, a few for each exercise of the packs that are folders of data."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

FILE = Path(__file__).with_name("mistakes.txt")


@dataclass(frozen=True)
class Mistake:
    """A mistake in a solution: ``written`` stands in place of ``removed``, one line of it.

    ``first`` is the checkpoint where the mistake is made, ``codes`` the kinds that name it right; empty if none does.
    """

    exercise: str
    first: str
    codes: frozenset[str]
    removed: str
    written: str

    def __str__(self) -> str:
        return f"{self.exercise}: {self.written.strip()}"

    def made_in(self, solution: str) -> str:
        """Return a solution with the mistake in it."""
        lines = solution.splitlines()
        assert lines.count(self.removed) == 1, f"{self.exercise} has no line {self.removed!r}"
        lines[lines.index(self.removed)] = self.written
        return "\n".join(lines) + "\n"


def load() -> list[Mistake]:
    """Return all mistakes, in the order of the file."""
    mistakes = []
    for part in re.split(r"^=== ", FILE.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
        exercise, *paragraphs = part.strip("\n").split("\n\n")
        for paragraph in paragraphs:
            head, *changes = paragraph.splitlines()
            first, _, codes = head.partition(":")
            (removed,) = [line[2:] for line in changes if line.startswith("- ")]
            written = "\n".join(line[2:] for line in changes if line.startswith("+ "))
            mistakes.append(Mistake(exercise, first, frozenset(codes.split()), removed, written))
    return mistakes
