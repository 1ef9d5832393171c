"""Names of steps: each is set once."""

from __future__ import annotations

import keyword
from collections.abc import Iterable
from typing import Final

from exercises.tape import CutTape

# A step of such a name would hide what lines and answers call, or an attribute of a tape.
_TAKEN: Final = frozenset(
    [*keyword.kwlist, *(each for each in dir(CutTape) if not each.startswith("_") and each != "loss")]
    + "torch F math cmp abs enumerate float int len list max min print range sum tuple zip".split()
)


class StepNames:
    """The names that are taken, by what is given and by steps."""

    def __init__(self, taken: Iterable[str]) -> None:
        self._taken = set(taken)

    def fresh(self, name: str) -> str:
        """Return a name that is free, ``x_2`` if ``x`` is taken, and take it."""
        name = name.lstrip("_") or "part"
        fresh, count = name, 2
        while not self._is_free(fresh):
            fresh, count = f"{name}_{count}", count + 1
        self._taken.add(fresh)
        return fresh

    def free(self, name: str) -> None:
        """Give a name back."""
        self._taken.discard(name)

    def _is_free(self, name: str) -> bool:
        # The student's variable for the gradient of x is dx, so no step may be called dx beside x.
        gradient_of = name[1:] if name.startswith("d") and len(name) > 1 else name
        return not ({name, f"d{name}", gradient_of} & self._taken) and name not in _TAKEN
