"""The difference picture: |yours - expected| in ten levels, with the worst element ringed and sums at the sides.

It is drawn of levels alone (``grader.differences``), so no number of the right gradient is in the page.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from grader.differences import SUM_LEVELS, Difference, Pattern, flattened

WIDTH, HEIGHT = 336.0, 192.0  # of the cells; the same width for all shapes
LEFT, TOP = 26.0, 14.0  # room for the axes
SUM_LENGTH: Final = 32.0
SUM_GAP: Final = 8.0
CELL_MAX: Final = 24.0  # the height of a cell of few rows
RIGHT_ROOM: Final = SUM_GAP + 48.0  # the bars, and "row sums" above them
BELOW_ROOM: Final = SUM_GAP + SUM_LENGTH + 12
SENTENCES: Final = {
    Pattern.EVERYWHERE: "The difference is the same everywhere.",
    Pattern.ALONG_ROWS: "The difference is the same along each row.",
    Pattern.ALONG_COLUMNS: "The difference is the same down each column.",
    Pattern.SOME_ROWS: "Only {} of {} rows differ.",
    Pattern.SOME_COLUMNS: "Only {} of {} columns differ.",
}


@dataclass(frozen=True)
class Box:
    """A rectangle, in pixels."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class HeatShown:
    """A difference picture as a page shows it. ``levels`` are the paths of levels 1 to 9, by level."""

    step: str
    shape: str
    width: float
    height: float
    frame: Box
    cell_width: float
    cell_height: float
    levels: tuple[tuple[int, str], ...]
    row_sums: str
    column_sums: str
    row_last: int
    column_last: int
    worst: Box
    worst_at: str
    scale: str
    sentences: tuple[str, ...]
    values: str
    geometry: str

    @property
    def label(self) -> str:
        """What is read aloud."""
        parts = f"Difference of d{self.step} from the right gradient, {self.shape}. Largest at {self.worst_at}."
        return f"{parts} With sums of rows and columns."


def draw(step: str, seen: Difference) -> HeatShown:
    """Return the picture of a difference."""
    cell_width = WIDTH / seen.columns
    cell_height = min(HEIGHT / seen.rows, CELL_MAX)
    frame = Box(LEFT, TOP, WIDTH, round(cell_height * seen.rows, 2))
    row, column = seen.worst_cell
    elements = flattened(seen.shape)
    worst = Box(
        _short(LEFT + column * cell_width - 2),
        _short(TOP + row * cell_height - 2),
        _short(cell_width + 4),
        _short(cell_height + 4),
    )
    return HeatShown(
        step=step,
        shape=times(seen.shape),
        width=LEFT + WIDTH + RIGHT_ROOM,
        height=_short(TOP + frame.height + BELOW_ROOM),
        frame=frame,
        cell_width=_short(cell_width, 4),
        cell_height=_short(cell_height, 4),
        levels=tuple(_level_paths(seen)),
        row_sums=_row_bars(seen.row_sums, frame, cell_height),
        column_sums=_column_bars(seen.column_sums, frame, cell_width),
        row_last=elements[0] - 1,
        column_last=elements[1] - 1,
        worst=worst,
        worst_at=f"[{', '.join(map(str, seen.worst))}]",
        scale=("≥ " if seen.clipped else "") + number(seen.scale),
        sentences=tuple(_sentences(seen)),
        values=json.dumps(seen.values, separators=(",", ":")) if seen.values else "",
        geometry=f"{LEFT:g} {TOP:g} {cell_width:.4f} {cell_height:.4f} {seen.rows} {seen.columns}",
    )


def times(shape: Sequence[int]) -> str:
    """Return a shape as people write it: ``32 × 64``; ``1`` for a single number."""
    return " × ".join(f"{size:,}" for size in shape) or "1"


def number(value: float) -> str:
    """Return a number of two digits: ``6.2e−4``, ``0.31``."""
    if 1e-2 <= abs(value) < 1e3:
        return f"{value:.2g}"
    mantissa, exponent = f"{value:.1e}".split("e")
    return f"{mantissa}e{int(exponent)}".replace("-", "−")


def _level_paths(seen: Difference) -> Iterator[tuple[int, str]]:
    """Yield level → path: neighbours of one level in a row are one rectangle. Level 0 is the ground."""
    parts: dict[int, list[str]] = {}
    for row in range(seen.rows):
        cells = seen.levels[row * seen.columns : (row + 1) * seen.columns]
        start = 0
        for column in range(1, seen.columns + 1):
            if column == seen.columns or cells[column] != cells[start]:
                if cells[start]:
                    length = column - start
                    parts.setdefault(cells[start], []).append(f"M{start} {row}h{length}v1h-{length}z")
                start = column
    yield from ((level, "".join(parts[level])) for level in sorted(parts))


def _row_bars(sums: Sequence[int], frame: Box, cell: float) -> str:
    x, thick = frame.x + frame.width + SUM_GAP, max(cell * 0.86, 0.8)
    bars = (
        f"M{x:g} {_short(frame.y + at * cell + (cell - thick) / 2)}h{_short(length)}v{_short(thick)}h-{_short(length)}z"
        for at, level in enumerate(sums)
        if (length := level / SUM_LEVELS * SUM_LENGTH)
    )
    return "".join(bars)


def _column_bars(sums: Sequence[int], frame: Box, cell: float) -> str:
    y, thick = frame.y + frame.height + SUM_GAP, max(cell * 0.86, 0.8)
    bars = (
        f"M{_short(frame.x + at * cell + (cell - thick) / 2)} {y:g}v{_short(length)}h{_short(thick)}v-{_short(length)}z"
        for at, level in enumerate(sums)
        if (length := level / SUM_LEVELS * SUM_LENGTH)
    )
    return "".join(bars)


def _sentences(seen: Difference) -> Iterator[str]:
    if seen.pattern is not None:
        of = flattened(seen.shape)[seen.pattern is not Pattern.SOME_ROWS]
        yield SENTENCES[seen.pattern].format(seen.affected, of)
    if seen.block != (1, 1):
        yield f"Each cell is the largest of {times(seen.block)} elements."


def _short(value: float, digits: int = 1) -> float:
    return round(value, digits)
