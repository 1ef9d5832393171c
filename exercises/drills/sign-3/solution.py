"""A right answer: the derived lines."""

# ruff: noqa: F821
# mypy: ignore-errors

dy = g
da = 2 * a * dy
dx = -x.sin() * da
