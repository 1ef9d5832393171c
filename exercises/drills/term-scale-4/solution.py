"""A right answer: the derived lines."""

# ruff: noqa: F821
# mypy: ignore-errors

dy = g
da = dy
dx = dy * x.cos() + 3 * x**2 * da
