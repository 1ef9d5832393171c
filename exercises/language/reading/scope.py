"""The names that lines can read where they stand."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

MISSING = object()


@dataclass(eq=False)
class Scope:
    """Names, and those of the scope around.

    ``suffix`` is the number of a call, ``turns`` those of the loops around a line.
    """

    parent: Scope | None = None
    suffix: str = ""
    names: dict[str, Any] = field(default_factory=dict)
    turns: list[int] = field(default_factory=list)

    def get(self, name: str) -> Any:
        """Return what a name stands for, ``MISSING`` if nothing."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope.names:
                return scope.names[name]
            scope = scope.parent
        return MISSING

    def set(self, name: str, value: Any) -> None:
        """Let a name stand for a value."""
        self.names[name] = value

    def spelled(self, name: str) -> str:
        """Return the name that a step gets here: ``h_2`` in the second turn of a loop."""
        return name + self.suffix + "".join(f"_{turn}" for turn in self.turns)
