"""A right answer: the derived lines."""

# ruff: noqa: F821
# mypy: ignore-errors

dy = g
dm = 7 * -dy.sum(0, keepdim=True)
dx = dy + dm / 4
