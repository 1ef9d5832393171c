"""Slices of a tensor along one axis, written as an index."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from grader.reference.gradients import VANISHING_BELOW


def silent(size: Tensor) -> list[str]:
    """Return the slices along each axis in which no element is told from zero, neighbours together."""
    found = []
    for axis in range(size.dim()):
        if size.shape[axis] == 1 and size.dim() > 1:
            continue
        others = [other for other in range(size.dim()) if other != axis]
        along = size.amax(others) if others else size
        found += [":, " * axis + run for run in _runs((along < VANISHING_BELOW).tolist())]
    return [f"[{each}]" for each in found]


def _runs(flags: Sequence[bool]) -> list[str]:
    """Return the runs of true flags as slices: ``3``, ``8:16``."""
    runs, start = [], None
    for place, flag in enumerate([*flags, False]):
        if flag and start is None:
            start = place
        elif not flag and start is not None:
            runs.append(str(start) if place == start + 1 else f"{start}:{place}")
            start = None
    return runs
