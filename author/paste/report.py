"""Paste all files of a folder, and say what became of each."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from author.paste.document import split
from author.paste.pasting import paste
from exercises.language.errors import Refused


@dataclass(frozen=True)
class Row:
    """What became of one file. ``refusal`` is None if it is an exercise."""

    file: str
    steps: int
    compared: bool
    seconds: float
    refusal: str | None
    first_line: str

    @property
    def should_be_refused(self) -> bool:
        """Whether the file's first line says so."""
        return self.first_line.startswith("# refused")


def rows(folder: Path) -> Iterator[Row]:
    """Yield what became of each file of a folder."""
    for path in sorted(folder.glob("*.py")):
        text = path.read_text(encoding="utf-8")
        start = time.perf_counter()
        steps, compared, refusal = 0, False, None
        try:
            pasted = paste(split(text), run_original=True)
            steps, compared = len(pasted.forward.lines), pasted.compared
        except Refused as error:
            refusal = str(error)
        seconds = time.perf_counter() - start
        yield Row(path.name, steps, compared, seconds, refusal, text.partition("\n")[0])


def table(found: Sequence[Row]) -> str:
    """Return the rows as a table of Markdown, with a line of totals."""
    lines = ["| file | steps | gradients compared | ms | refused |", "| --- | --: | --- | --: | --- |"]
    for row in found:
        cells = (
            row.file,
            row.steps or "",
            "yes" if row.compared else "",
            f"{row.seconds * 1000:.0f}",
            row.refusal or "",
        )
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    exercises = [row for row in found if row.refusal is None]
    seconds = sum(row.seconds for row in found)
    lines.append(
        f"\n{len(exercises)} of {len(found)} became exercises, the gradients of "
        f"{sum(row.compared for row in exercises)} equal the original's; {seconds:.1f} s."
    )
    return "\n".join(lines)
