"""A right answer: the derived lines."""

# ruff: noqa: F821
# mypy: ignore-errors

dy = g
da = dy * x
dx = dy * a + (1.0 - a**2) * da
