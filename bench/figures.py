"""Measured times, and the figures that are shown and kept of them."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Times:
    """How many seconds one action took, an entry for each time."""

    seconds: tuple[float, ...]

    @classmethod
    def of(cls, seconds: Sequence[float]) -> Times:
        """Return a copy of a list that may still grow."""
        return cls(tuple(seconds))

    def and_then(self, other: Times) -> Times:
        """Return two measurements as one."""
        return Times(self.seconds + other.seconds)

    @property
    def median_ms(self) -> float:
        """The median, in milliseconds."""
        return statistics.median(self.seconds) * 1000

    def percentile_ms(self, percent: float) -> float:
        """Return a percentile, in milliseconds."""
        ordered = sorted(self.seconds)
        return ordered[min(round(percent / 100 * (len(ordered) - 1)), len(ordered) - 1)] * 1000

    def as_json(self, bare_ms: float) -> dict[str, float | int]:
        """Return the entry of ``bench/results.json``."""
        return {
            "median_ms": round(self.median_ms, 4),
            "p95_ms": round(self.percentile_ms(95), 4),
            "ratio_to_bare": round(self.median_ms / bare_ms, 4),
            "n": len(self.seconds),
        }
