"""The loss curve of a training run, drawn as SVG. Pure: no database, no clock."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from dojo.curve import Box, are_same, drawn_reference, frame_of, in_words
from server.training.run import TrainingRun

WIDE: Final = (720, 300)
NARROW: Final = (360, 240)
LEFT, RIGHT, TOP, BOTTOM = 40.0, 14.0, 12.0, 28.0
LABEL: Final = 62.0  # pixels that the label of a step needs


@dataclass(frozen=True)
class Tick:
    """A place on an axis, in pixels."""

    at: float
    label: str


@dataclass(frozen=True)
class Picture:
    """Two curves as paths, with their axes. ``dot`` is the newest point of one's own, or None."""

    width: int
    height: int
    own: str
    reference: str
    dot: tuple[float, float] | None
    losses: tuple[Tick, ...]
    steps: tuple[Tick, ...]
    left: float = LEFT
    right: float = RIGHT


@dataclass(frozen=True)
class CurveShown:
    """A curve beside the reference's: for a desk and for a phone, and in words. ``cut`` is where its top is cut off."""

    wide: Picture
    narrow: Picture
    words: str
    is_same: bool
    cut: float | None

    @property
    def pictures(self) -> tuple[tuple[str, Picture], ...]:
        """The pictures, each with where it is shown."""
        return (("is-wide", self.wide), ("is-narrow", self.narrow))


def curve_shown(run: TrainingRun) -> CurveShown | None:
    """Return the curve of a run; None before its first point."""
    if not run.curve:
        return None
    frame = frame_of(run.curve, run.reference_curve, run.plan.steps)
    return CurveShown(
        picture(run, WIDE),
        picture(run, NARROW),
        in_words(run.curve, run.reference_curve, run.plan.steps),
        are_same(run.curve, run.reference_curve),
        frame.high if frame.cuts(run.curve) else None,
    )


def picture(run: TrainingRun, size: tuple[int, int]) -> Picture:
    """Return the curves of a run in a picture of this size."""
    width, height = size
    frame = frame_of(run.curve, run.reference_curve, run.plan.steps)
    box = Box(LEFT, TOP, width - LEFT - RIGHT, height - TOP - BOTTOM)
    steps = [Tick(box.x(frame, step), f"{step:,}") for step in frame.step_ticks]
    every = -(-len(steps) * LABEL // box.width)
    last = run.curve[-1] if run.curve else None
    return Picture(
        width,
        height,
        box.path(frame, run.curve),
        box.path(frame, drawn_reference(run.curve, run.reference_curve)),
        (box.x(frame, last[0]), box.y(frame, last[1])) if last else None,
        tuple(Tick(box.y(frame, loss), f"{loss:g}") for loss in frame.loss_ticks),
        tuple(steps[:: int(every) or 1]),
    )
