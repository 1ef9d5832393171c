"""A right answer: the derived lines."""

# ruff: noqa: F821
# mypy: ignore-errors

dy = g
ds = (dy * x).sum(1, keepdim=True)
dx = dy * s + ds
