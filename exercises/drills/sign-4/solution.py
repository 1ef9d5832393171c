"""A right answer: the derived lines."""

# ruff: noqa: F821
# mypy: ignore-errors

dy = g
da = dy * a.cos()
dx = 2 * x * (-(x**2 + 1)**-2 * da)
