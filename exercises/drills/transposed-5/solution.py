"""A right answer: the derived lines."""

# ruff: noqa: F821
# mypy: ignore-errors

dy = g
dy_in = (1.0 - y**2) * dy
da = dy_in @ W.T
dx = da.T
