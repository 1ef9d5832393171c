"""Names of steps: each is set once."""

from __future__ import annotations

import keyword
from collections.abc import Iterable
from typing import Final

# A step of such a name would hide what lines and answers call.
_TAKEN: Final = frozenset(
    list(keyword.kwlist) + "torch F math cmp abs enumerate float int len list max min print range sum tuple zip".split()
)


class StepNames:
    """The names that are taken, by what is given and by steps."""

    def __init__(self, taken: Iterable[str]) -> None:
        self._taken = set(taken)
        self._steps: set[str] = set()

    def fresh(self, name: str) -> str:
        """Return a name that is free, ``x_2`` if ``x`` is taken, and take it."""
        name = name.lstrip("_") or "part"
        fresh, count = name, 2
        while not self._is_free(fresh):
            fresh, count = f"{name}_{count}", count + 1
        self._taken.add(fresh)
        self._steps.add(fresh)
        return fresh

    def free(self, name: str) -> None:
        """Give a name back."""
        self._taken.discard(name)
        self._steps.discard(name)

    def _is_free(self, name: str) -> bool:
        # The student's variable for the gradient of x is dx, so no step may be called dx beside x, nor x beside dx.
        # Given gradients keep their names: an upstream gradient that is given is called dx beside the step x.
        is_gradient = name.startswith("d") and name[1:] in self._taken
        return not (name in self._taken or name in _TAKEN or is_gradient or f"d{name}" in self._steps)
