"""What a notebook is read for."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Wanted:
    """The checkpoints' names, the names handed out, and the exercise's number in the lecture, if any."""

    checkpoints: tuple[str, ...]
    handed_out: frozenset[str]
    section: int | None = None

    @property
    def answers(self) -> dict[str, str]:
        """Variable → checkpoint."""
        return {"d" + name: name for name in self.checkpoints}
