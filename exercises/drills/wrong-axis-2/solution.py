"""A right answer: the derived lines."""

# ruff: noqa: F821
# mypy: ignore-errors

dy = g
da = dy * y
dx = da * w
dw = (da * x).sum(0)
