"""The plan of a training run: how many steps, how large a minibatch, and which learning rate when."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, Self

from server.http.problems import Unprocessable

BATCH_MIN, BATCH_MAX = 2, 1024  # the variance of a single row divides by zero
RATES_MAX: Final = 16
RATE_MAX: Final = 10.0
FIRST_RATE, SECOND_RATE = 0.1, 0.01  # the lecture's, the second one after half of the steps

Schedule = tuple[tuple[int, float], ...]


class BadPlan(Unprocessable):
    """A plan that this server does not train by."""

    title, slug = "Not a plan to train by", "bad-plan"


@dataclass(frozen=True)
class Budget:
    """What a run may take. ``ranked_examples_max`` is steps times minibatch, for runs of the ranking."""

    steps: int
    steps_max: int
    ranked_examples_max: int


@dataclass(frozen=True)
class Plan:
    """How to train. ``schedule`` holds the learning rate from each step on; it begins with step 0."""

    steps: int
    batch: int
    schedule: Schedule

    @classmethod
    def made(cls, steps: int, batch: int, schedule: Sequence[tuple[int, float]] | None, steps_max: int) -> Self:
        """Return a plan; without a schedule it is the lecture's.

        :raises BadPlan: the server does not train so long, or the schedule cannot be followed
        """
        if not 1 <= steps <= steps_max:
            raise BadPlan(f"A run has 1 to {steps_max} steps. Ask for fewer.")
        if not BATCH_MIN <= batch <= BATCH_MAX:
            raise BadPlan(f"A minibatch has {BATCH_MIN} to {BATCH_MAX} examples. Choose another size.")
        if schedule is None:
            schedule = [(0, FIRST_RATE), (steps // 2, SECOND_RATE)] if steps > 1 else [(0, FIRST_RATE)]
        places = [step for step, _ in schedule]
        is_ascending = all(one < next_ for one, next_ in pairwise(places))
        if not 1 <= len(places) <= RATES_MAX or places[0] != 0 or not is_ascending:
            raise BadPlan(
                f"A schedule is 1 to {RATES_MAX} pairs of a step and a rate. Begin with step 0, and go upwards."
            )
        if not all(math.isfinite(rate) and 0 < rate <= RATE_MAX for _, rate in schedule):
            raise BadPlan(f"A learning rate is above 0 and at most {RATE_MAX:g}. Choose another one.")
        return cls(steps, batch, tuple((step, float(rate)) for step, rate in schedule))

    @property
    def examples(self) -> int:
        """How many examples the run sees."""
        return self.steps * self.batch

    def rates(self, first: int, count: int) -> list[float]:
        """Return the learning rates of so many steps from ``first`` on."""
        places = [step for step, _ in self.schedule]
        return [self.schedule[bisect_right(places, step) - 1][1] for step in range(first, first + count)]
