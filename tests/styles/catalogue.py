"""Whole right derivations, each in the style of another student."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
BEGIN = "=== "


@dataclass(frozen=True)
class Style:
    """A right answer to a whole exercise. ``name`` says how it is written."""

    exercise: str
    name: str
    source: str

    def __str__(self) -> str:
        return f"{self.exercise}: {self.name}"


def load(folder: Path = HERE) -> list[Style]:
    """Return every style of the folder's files. A file is named after its exercise."""
    return [style for path in sorted(folder.glob("*.txt")) for style in _read(path)]


def _read(path: Path) -> list[Style]:
    exercise = "makemore/" + path.stem.replace("_", "-")
    _, *parts = ("\n" + path.read_text("utf-8")).split("\n" + BEGIN)
    styles = []
    for part in parts:
        name, _, source = part.partition("\n")
        styles.append(Style(exercise, name.strip(), source.strip("\n") + "\n"))
    return styles
