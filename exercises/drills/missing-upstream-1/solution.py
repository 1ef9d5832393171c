"""A right answer: the derived lines."""

# ruff: noqa: F821
# mypy: ignore-errors

dy = g
da = dy * y
dx = (1.0 - a**2) * da
