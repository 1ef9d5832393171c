"""A right answer: the derived lines."""

# ruff: noqa: F821
# mypy: ignore-errors

dy = g
dm = (dy * x).sum(0, keepdim=True)
dx = dy * m + dm / 6
