"""A right answer: the derived lines."""

# ruff: noqa: F821
# mypy: ignore-errors

dy = g
da = dy * (1.0 - y) * y
dx = da / w
dw = -(da * (a / w)).sum(0)
