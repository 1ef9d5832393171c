"""Training runs and the ranking, as the server tells them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from dojo.api.members import (
    one_line,
    optional,
    read_count,
    read_line,
    read_number,
    read_word,
    refuse,
    required,
    required_objects,
)
from dojo.curve import Curve
from dojo.text import duration

STEPS_MAX = 10**7
POINTS_MAX = 100_000
NAMES_MAX = 100
MESSAGE_CHARACTERS_MAX = 4000
EXAMPLE = "0.1,0.01@10000"  # of a schedule

Schedule = tuple[tuple[int, float], ...]
"""Pairs of a step and the learning rate from there on."""


@dataclass(frozen=True)
class TrainingRun:
    """A network that is trained with a student's backward pass.

    ``curve`` is its loss on the probe, ``reference_curve`` that of the right gradients from the same start.
    ``seconds_left`` is None if unknown. ``checked`` is ``yes``, ``no`` or ``failed``. ``message`` are lines of the
    server, or empty. ``losses`` are those of the whole training and dev split, and ``samples`` are names, once it is
    done. ``body`` is the JSON that it was read from, for ``--json``.
    """

    id: int
    status: str
    step: int
    steps: int
    batch: int
    schedule: Schedule
    curve: Curve
    reference_curve: Curve
    seconds_left: float | None
    checked: str
    message: str
    losses: tuple[float | None, float | None] | None
    samples: tuple[str, ...]
    ranked: bool
    pseudonym: str
    created_at: str
    body: Mapping[str, Any] = field(repr=False)

    @property
    def is_active(self) -> bool:
        """Whether it goes on."""
        return self.status in ("queued", "running")

    @property
    def is_right(self) -> bool:
        """Whether it came to its end, and no chunk of it differed from the reference."""
        return self.status == "done" and self.checked != "failed"

    def progress(self) -> str:
        """Return where it is, in one line: ``step 4,000 of 20,000 | loss 2.4132 | 35 s left``."""
        parts = [f"step {self.step:,} of {self.steps:,}"]
        if self.curve:
            last = self.curve[-1][1]
            parts.append(f"loss {'not finite' if last is None else format(last, '.4f')}")
        if self.is_active and 0 < self.steps == self.step:
            parts.append("measures the losses")
        elif self.status == "queued":
            parts.append("waits for its turn")
        elif self.is_active and self.seconds_left is not None:
            parts.append(f"{time_text(self.seconds_left)} left")
        elif not self.is_active:
            parts.append(self.status)
        return " | ".join(parts)


@dataclass(frozen=True)
class RankedRun:
    """A place in the ranking. ``is_mine`` marks the student's own."""

    place: int
    pseudonym: str
    dev_loss: float
    steps: int
    batch: int
    schedule: Schedule
    is_mine: bool
    body: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True)
class TrainingPlan:
    """What is asked of a run. None is the course's own choice; with a ``pseudonym`` the run is ranked."""

    steps: int | None = None
    batch: int | None = None
    schedule: Schedule | None = None
    pseudonym: str | None = None

    def body(self, filename: str, source: str) -> dict[str, Any]:
        """Return the JSON that starts a run of some code."""
        schedule = None if self.schedule is None else [list(part) for part in self.schedule]
        asked = {"steps": self.steps, "batch": self.batch}
        return {
            "filename": filename,
            "source": source,
            **{name: value for name, value in asked.items() if value is not None},
            "schedule": schedule,
            "ranked": self.pseudonym is not None,
            "pseudonym": self.pseudonym,
        }


def time_text(seconds: float) -> str:
    """Return a time to wait: ``35 s``, ``3 minutes``."""
    return f"{max(round(seconds), 1)} s" if seconds < 90 else duration(seconds)


def schedule_text(schedule: Schedule) -> str:
    """Return a schedule as it is typed: ``0.1,0.01@10000``."""
    return ",".join(f"{rate:g}@{step}" if step else f"{rate:g}" for step, rate in schedule)


def parse_schedule(typed: str) -> Schedule:
    """Return the learning rates that somebody typed, each with the step that it begins at: ``0.1,0.01@10000``.

    :raises ValueError: they cannot be read; the text says how to type them
    """
    parts = []
    for part in typed.split(","):
        rate, _, step = part.strip().partition("@")
        try:
            parts.append((int(step or "0"), float(rate)))
        except ValueError:
            raise ValueError(f"“{part.strip()[:20]}” is no rate. Type it like this: {EXAMPLE}") from None
    if parts[0][0] != 0 or any(one[0] >= other[0] for one, other in pairwise(parts)):
        raise ValueError(f"The first rate begins at step 0, and each other one later. Type it like this: {EXAMPLE}")
    return tuple(parts)


def read_training_run(body: Mapping[str, Any]) -> TrainingRun:
    """Read a training run.

    :raises NotADojo: it has not the promised form
    """
    final = body.get("final")
    losses = None
    if isinstance(final, Mapping):
        losses = (read_number(final, "train_loss"), read_number(final, "dev_loss"))
    samples = [] if body.get("samples") is None else body["samples"]
    if not isinstance(samples, list) or not all(isinstance(name, str) for name in samples):
        raise refuse("samples")
    return TrainingRun(
        id=required(body, "id", int),
        status=read_word(body, "status") or required(body, "status", str),
        step=read_count(body, "step") or 0,
        steps=min(read_count(body, "steps") or 0, STEPS_MAX),
        batch=read_count(body, "batch") or 0,
        schedule=_schedule(body),
        curve=_curve(body, "curve"),
        reference_curve=_curve(body, "reference_curve"),
        seconds_left=_seconds_left(body),
        checked=read_word(body, "checked") or "no",
        message=(optional(body, "message", str) or "")[:MESSAGE_CHARACTERS_MAX],
        losses=losses,
        samples=tuple(name for name in map(one_line, samples[:NAMES_MAX]) if name),
        ranked=body.get("ranked") is True,
        pseudonym=read_line(body, "pseudonym"),
        created_at=read_line(body, "created_at"),
        body=body,
    )


def read_training_runs(body: Mapping[str, Any]) -> list[TrainingRun]:
    """Read a list of training runs.

    :raises NotADojo: it has not the promised form
    """
    return [read_training_run(run) for run in required_objects(body, "runs")]


def read_ranking(body: Mapping[str, Any]) -> list[RankedRun]:
    """Read the places of the ranking.

    :raises NotADojo: they have not the promised form
    """
    return [read_ranked_run(place) for place in required_objects(body, "places")]


def read_ranked_run(body: Mapping[str, Any]) -> RankedRun:
    """Read a place in the ranking.

    :raises NotADojo: it has not the promised form
    """
    dev_loss = read_number(body, "dev_loss")
    if dev_loss is None:
        raise refuse("dev_loss")
    return RankedRun(
        place=read_count(body, "place") or 0,
        pseudonym=one_line(required(body, "pseudonym", str)),
        dev_loss=dev_loss,
        steps=read_count(body, "steps") or 0,
        batch=read_count(body, "batch") or 0,
        schedule=_schedule(body),
        is_mine=body.get("mine") is True,
        body=body,
    )


def _seconds_left(body: Mapping[str, Any]) -> float | None:
    seconds = read_number(body, "seconds_left")
    return None if seconds is None or not 0 <= seconds < 1e9 else seconds


def _schedule(body: Mapping[str, Any]) -> Schedule:
    return tuple((step, rate) for step, rate in _pairs(body, "schedule") if rate is not None)


def _curve(body: Mapping[str, Any], key: str) -> Curve:
    return _pairs(body, key)


def _pairs(body: Mapping[str, Any], key: str) -> Sequence[tuple[int, float | None]]:
    """Return pairs of a step and a number or null.

    :raises NotADojo: they are none, or too many
    """
    values = [] if body.get(key) is None else body[key]
    if not isinstance(values, list) or len(values) > POINTS_MAX:
        raise refuse(key)
    pairs: list[tuple[int, float | None]] = []
    for value in values:
        if not isinstance(value, list) or len(value) != 2:
            raise refuse(key)
        step, number = value
        is_number = number is None or (isinstance(number, int | float) and not isinstance(number, bool))
        if type(step) is not int or not 0 <= step <= STEPS_MAX or not is_number:
            raise refuse(key)
        pairs.append((step, None if number is None else float(number)))
    return pairs
