"""The goal of a slice: which variables are answers, and which names the exercise hands out."""

from __future__ import annotations

from dataclasses import dataclass

# The exercise numbers of the lecture. A notebook with all exercises makes dlogits twice.
SECTIONS = {
    "makemore/full-backward": 1,
    "makemore/cross-entropy": 2,
    "makemore/batch-norm": 3,
    "makemore/train": 4,
}


@dataclass(frozen=True)
class Goal:
    """The names of an exercise. ``section`` is its number in the lecture, or None."""

    checkpoints: tuple[str, ...]
    handed_out: frozenset[str]
    section: int | None = None

    @property
    def checkpoint_by_variable(self) -> dict[str, str]:
        """``dlogits`` → ``logits``, for each checkpoint."""
        return {"d" + name: name for name in self.checkpoints}

    @property
    def variables(self) -> frozenset[str]:
        """The student's variables that are answers."""
        return frozenset(self.checkpoint_by_variable)
