"""A right answer: the derived lines."""

# ruff: noqa: F821
# mypy: ignore-errors

dy = g
da = dy + 2 * a * dy
dx = da * (a > 0)
