"""A training run as people see it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from exercises.training import Losses
from server.tables import Check, RunState, TrainingRunRow
from server.training.plan import Plan

LIVE = (RunState.QUEUED, RunState.RUNNING)
Curve = tuple[tuple[int, float], ...]


@dataclass(frozen=True)
class TrainingRun:
    """A training run. ``seconds_left`` is None while nothing tells; ``message`` is None while all is well.

    ``final`` and ``samples`` are there once it is done.
    """

    id: int
    account_id: int
    state: RunState
    step: int
    plan: Plan
    curve: Curve
    reference_curve: Curve
    examples_per_second: float | None
    checked: Check
    chunk_steps: int
    message: str | None
    final: Losses | None
    samples: tuple[str, ...]
    ranked: bool
    pseudonym: str | None
    moved: int
    created_at: datetime
    finished_at: datetime | None

    @classmethod
    def of(cls, row: TrainingRunRow) -> Self:
        """Return the run of a row."""
        final = None
        if row.train_loss is not None and row.dev_loss is not None:
            final = Losses(row.train_loss, row.dev_loss)
        return cls(
            row.id,
            row.account_id,
            row.state,
            row.step,
            plan_of(row),
            tuple((step, loss) for step, loss in row.curve),
            tuple((step, loss) for step, loss in row.reference_curve),
            row.examples_per_second,
            row.checked,
            row.chunk_steps,
            row.message,
            final,
            tuple(row.samples),
            row.ranked,
            row.pseudonym,
            row.moved,
            row.created_at,
            row.finished_at,
        )

    @property
    def is_live(self) -> bool:
        """Whether the run goes on."""
        return self.state in LIVE

    @property
    def seconds_left(self) -> int | None:
        """How long its steps still take, if nothing else runs; None if it is over, or nothing tells."""
        if not self.is_live or not self.examples_per_second:
            return None
        return math.ceil((self.plan.steps - self.step) * self.plan.batch / self.examples_per_second)


def plan_of(row: TrainingRunRow) -> Plan:
    """Return the plan of a row."""
    return Plan(row.steps, row.batch, tuple((step, rate) for step, rate in row.schedule))
