"""A right answer: the derived lines."""

# ruff: noqa: F821
# mypy: ignore-errors

dy = g
da = 7 * -dy
dx = dy + (1.0 - a**2) * da
