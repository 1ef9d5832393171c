"""Box plots of the minutes that a class needs for each step, as numbers of an SVG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

WIDTH: Final = 620.0
LEFT: Final = 116.0  # room for the names
RIGHT: Final = 56.0  # room for the median of a long one
TOP: Final = 26.0
ROW: Final = 20.0
TICKS: Final = 5
HOT_FACTOR: Final = 2.0  # a step whose median is so many times that of the steps is shown in red
UNITS: Final = ((1440.0, "d"), (60.0, "h"), (1.0, "min"))


@dataclass(frozen=True)
class Tick:
    """A line of the axis."""

    x: float
    label: str


@dataclass(frozen=True)
class Box:
    """A step: the ends of its line, of its box, and its median, all in pixels. ``label`` is the median in words."""

    name: str
    y: float
    low: float
    begin: float
    middle: float
    end: float
    high: float
    label: str
    is_hot: bool

    @property
    def box_width(self) -> float:
        """The width of the box; it stays visible where all needed the same."""
        return round(max(self.end - self.begin, 3.0), 1)


@dataclass(frozen=True)
class BoxPlot:
    """The plot; ``height`` is in pixels."""

    ticks: Sequence[Tick]
    boxes: Sequence[Box]
    height: float
    width: float = WIDTH


def box_plot(quantiles: Sequence[tuple[str, Sequence[float] | None]]) -> BoxPlot | None:
    """Return the plot of (step, five quantiles in minutes or None); None if no step has any."""
    shown = [(name, each) for name, each in quantiles if each]
    if not shown:
        return None
    step, unit, size = _scale(max(each[4] for _, each in shown))
    last = step * TICKS
    usual = median(each[2] for _, each in shown)

    def x(minutes: float) -> float:
        return round(LEFT + min(minutes / size, last) / last * (WIDTH - LEFT - RIGHT), 1)

    def box(place: int, name: str, quantiles: Sequence[float]) -> Box:
        low, begin, middle, end, high = map(x, quantiles)
        label = f"{quantiles[2] / size:.1f}".removesuffix(".0") + f" {unit}"
        is_hot = len(shown) > 2 and quantiles[2] > HOT_FACTOR * usual
        return Box(name, TOP + place * ROW + ROW / 2, low, begin, middle, end, high, label, is_hot)

    boxes = [box(place, name, each) for place, (name, each) in enumerate(shown)]
    ticks = [
        Tick(x(step * number * size), f"{step * number:g}" + (f" {unit}" if number == TICKS else ""))
        for number in range(TICKS + 1)
    ]
    return BoxPlot(ticks, boxes, TOP + len(boxes) * ROW + 8)


def _scale(minutes: float) -> tuple[float, str, float]:
    """Return the step of the axis, its unit, and how many minutes that is."""
    size, unit = next((each for each in UNITS if minutes >= 2 * each[0]), UNITS[-1])
    need = max(minutes / size / TICKS, 0.2)
    step = next(base * 10**power for power in range(-1, 9) for base in (1, 2, 5) if base * 10**power >= need)
    return step, unit, size
