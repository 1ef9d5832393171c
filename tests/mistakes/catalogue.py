"""The catalogue of mistakes: right solutions with one line changed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from exercises.registry import find

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Mistake:
    """A mistake in a solution.

    ``first`` is the checkpoint where the mistake is made, ``codes`` the kinds that name it right. ``removed`` are lines
    of the exercise's solution; ``written`` stands in place of the last of them.
    """

    exercise: str
    first: str
    codes: frozenset[str]
    removed: tuple[str, ...]
    written: tuple[str, ...]

    def __str__(self) -> str:
        written = "; ".join(line.strip() for line in self.written)
        return f"{self.first}: {written}, for {self.removed[-1].strip()}"

    def touches(self, other: Mistake) -> bool:
        """Whether two mistakes change the same line, so that an answer cannot hold both."""
        return bool(set(self.removed) & set(other.removed))


def load(folder: Path = HERE) -> list[Mistake]:
    """Return every mistake of the folder's files. A file is named after its exercise."""
    return [mistake for path in sorted(folder.glob("*.txt")) for mistake in _read(path)]


def load_several(folder: Path) -> list[list[Mistake]]:
    """Return the answers with several mistakes of the folder's files; a line ``===`` begins an answer."""
    return [
        _parse(path, part)
        for path in sorted(folder.glob("*.txt"))
        for part in path.read_text("utf-8").split("\n===\n")[1:]
    ]


def source(exercise: str, mistakes: list[Mistake]) -> str:
    """Return the right solution with the mistakes in it."""
    lines = find(exercise).solution.splitlines()
    for mistake in mistakes:
        for line in mistake.removed:
            assert lines.count(line) == 1, f"{exercise} has no line {line!r}"
        lines = [line for line in lines if line not in mistake.removed[:-1]]
        place = lines.index(mistake.removed[-1])
        lines[place : place + 1] = mistake.written
    return "\n".join(lines) + "\n"


def _read(path: Path) -> list[Mistake]:
    return _parse(path, path.read_text("utf-8"))


def _parse(path: Path, text: str) -> list[Mistake]:
    """Read paragraphs of ``checkpoint: code …``, then ``- line`` and ``+ line`` as in a diff."""
    mistakes = []
    text = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    for paragraph in filter(None, (part.strip("\n") for part in text.split("\n\n"))):
        head, *changes = paragraph.splitlines()
        first, _, codes = head.partition(": ")
        mistakes.append(
            Mistake(
                "makemore/" + path.stem.replace("_", "-"),
                first,
                frozenset(codes.split()),
                tuple(line[2:] for line in changes if line.startswith("- ")),
                tuple(line[2:] for line in changes if line.startswith("+ ")),
            )
        )
    return mistakes
