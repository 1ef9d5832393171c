"""A right answer: the derived lines."""

# ruff: noqa: F821
# mypy: ignore-errors

dy = g
da = dy
dx = 7 * dy + 2 * x * (-da * a**2)
