"""The makemore pack: the exercises of the lecture "Becoming a Backprop Ninja" (makemore, part 4)."""

from __future__ import annotations

from pathlib import Path

EXERCISES = Path(__file__).parent
"""The folder of the pack, for its entry point."""
