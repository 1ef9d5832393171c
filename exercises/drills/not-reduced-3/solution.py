"""A right answer: the derived lines."""

# ruff: noqa: F821
# mypy: ignore-errors

dy = g
da = dy * a.cos()
dx = da * c
dc = (da * x).sum(1, keepdim=True)
