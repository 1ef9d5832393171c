"""A right answer: the derived lines."""

# ruff: noqa: F821
# mypy: ignore-errors

dy = g
dw = dy * a
da = dy * w
dx = (1.0 - a**2) * da
