"""A right answer: the derived lines."""

# ruff: noqa: F821
# mypy: ignore-errors

dy = g
da = dy * a.cos()
dx = da
db = -da.sum(0)
