"""A right answer: the derived lines."""

# ruff: noqa: F821
# mypy: ignore-errors

dy = g
da = (1.0 - y**2) * dy
dx = da / s
ds = -(da * (a / s)).sum(1, keepdim=True)
