"""A loss curve as geometry: the frame of its plot, and what it shows in words. Terminal, notebook and page draw it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeGuard

Curve = Sequence[tuple[int, float | None]]
"""Pairs of a step and the loss there. None stands for one that is not finite, as JSON has no such numbers."""

LOSS_TICKS_MAX = 6
STEP_TICKS_MAX = 5
TOP_FACTOR = 2.0  # a curve that climbs is cut at so many times the loss of an untrained network
LOSS_MAX = 1e6  # a loss beyond that is drawn as if it were that
SAME = 1e-3  # closer than this, two losses are one line of a plot
POINTS_MAX = 400  # of a drawn curve: more are not told apart


@dataclass(frozen=True)
class Frame:
    """What a plot shows: steps from 0 to ``steps``, losses from ``low`` to ``high``, and a tick at some of them."""

    steps: int
    low: float
    high: float
    step_ticks: tuple[int, ...]
    loss_ticks: tuple[float, ...]

    def across(self, step: int) -> float:
        """Return where a step is: 0 at the left, 1 at the right."""
        return min(max(step / self.steps, 0.0), 1.0)

    def up(self, loss: float | None) -> float:
        """Return where a loss is: 0 at the bottom, 1 at the top. One that is cut or not finite is at the top."""
        if not _is_finite(loss):
            return 1.0
        return min(max((loss - self.low) / (self.high - self.low), 0.0), 1.0)

    def cuts(self, curve: Curve) -> bool:
        """Return whether a curve leaves the plot at its top."""
        return any(not _is_finite(loss) or loss > self.high for _, loss in curve)


def frame_of(own: Curve, reference: Curve, steps: int) -> Frame:
    """Return the frame that holds both curves. Of a curve that climbs without end, it holds the lower part."""
    losses = _finite((*own, *reference))
    untrained = _finite((*own[:1], *reference[:1]))
    begin = max(untrained, default=4.0)
    top = min(max(losses, default=begin), TOP_FACTOR * begin)
    bottom = min([*losses, top])
    unit = _unit(max(top - bottom, 0.1), LOSS_TICKS_MAX - 1)
    low, high = math.floor(bottom / unit), max(math.ceil(top / unit - 1e-9), math.floor(bottom / unit) + 1)
    steps = max(steps, 1)
    step_unit = max(int(_unit(steps, STEP_TICKS_MAX - 1)), 1)
    return Frame(
        steps,
        low * unit,
        high * unit,
        tuple(range(0, steps + 1, step_unit)),
        tuple(round(unit * number, 6) for number in range(low, high + 1)),
    )


def _finite(curve: Curve) -> list[float]:
    return [min(max(loss, -LOSS_MAX), LOSS_MAX) for _, loss in curve if _is_finite(loss)]


def _is_finite(loss: float | None) -> TypeGuard[float]:
    return loss is not None and math.isfinite(loss)


def _unit(size: float, count: int) -> float:
    """Return the distance of ticks: 1, 2 or 5 times a power of ten, so that at most ``count`` fit into a size."""
    power = 10.0 ** math.floor(math.log10(size / count))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= size / count * (1 - 1e-9))


def thinned(curve: Curve, count: int = POINTS_MAX) -> Curve:
    """Return a curve with at most so many points, its first and its last among them."""
    if len(curve) <= count:
        return curve
    return [curve[round(place * (len(curve) - 1) / (count - 1))] for place in range(count)]


def loss_text(loss: float | None) -> str:
    """Return a loss as it is shown: ``2.2140``."""
    return "not finite" if not _is_finite(loss) else f"{loss:.4f}" if abs(loss) < 1000 else f"{loss:.3g}"


def in_words(own: Curve, reference: Curve, steps: int) -> str:
    """Return what a plot shows, for who does not see it."""
    if not own:
        return "The curve begins with the first steps."
    first, last = own[0], own[-1]
    told = f"Loss {loss_text(first[1])} at step {first[0]:,}"
    if len(own) > 1:
        told += f", {loss_text(last[1])} at step {last[0]:,} of {steps:,}"
    if not reference:
        return f"{told}."
    if are_same(own, reference):
        return f"{told}. The reference's curve is the same."
    step, loss = next((point for point in reference if point[0] == last[0]), reference[-1])
    where = "" if step == last[0] else f" at step {step:,}"
    return f"{told}. The reference has {loss_text(loss)}{where}."


def are_same(own: Curve, reference: Curve) -> bool:
    """Return whether the curves are one line wherever both are known, beyond the start that they share."""
    losses = dict(reference)
    both = [(loss, losses[step]) for step, loss in own if step in losses and step > 0]
    return bool(both) and all(one is not None and other is not None and abs(one - other) <= SAME for one, other in both)


def drawn_reference(own: Curve, reference: Curve) -> Curve:
    """Return the reference's curve as it is drawn.

    Of a right run not every chunk is replayed. Between the points that are known, its line is one's own: a straight
    line between two points far apart would show a distance that there is not.
    """
    if not are_same(own, reference):
        return reference
    return [(step, loss) for step, loss in own if step <= reference[-1][0]]


@dataclass(frozen=True)
class Box:
    """Where a plot is in a picture: pixels from the left and from the top, and its size."""

    left: float
    top: float
    width: float
    height: float

    def x(self, frame: Frame, step: int) -> float:
        """Return where a step is."""
        return round(self.left + self.width * frame.across(step), 1)

    def y(self, frame: Frame, loss: float | None) -> float:
        """Return where a loss is."""
        return round(self.top + self.height * (1 - frame.up(loss)), 1)

    def path(self, frame: Frame, curve: Curve) -> str:
        """Return a curve as the path of an SVG; empty without a point."""
        points = [f"{self.x(frame, step):g} {self.y(frame, loss):g}" for step, loss in thinned(curve)]
        return f"M{'L'.join(points)}" if points else ""
