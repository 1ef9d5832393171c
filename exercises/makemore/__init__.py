"""The makemore pack: the exercises of the lecture "Becoming a Backprop Ninja" (makemore, part 4)."""

from __future__ import annotations

from exercises.makemore import batch_norm, cross_entropy, full_backward, train

EXERCISES = (full_backward.EXERCISE, cross_entropy.EXERCISE, batch_norm.EXERCISE, train.EXERCISE)
