"""A right answer: the derived lines."""

# ruff: noqa: F821
# mypy: ignore-errors

dy = g
da = -dy * (y / (a + 1))
dx = dy / (a + 1) + 2 * x * da
