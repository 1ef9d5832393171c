"""A right answer: the derived lines."""

# ruff: noqa: F821
# mypy: ignore-errors

dy = g
da = (1.0 - y**2) * dy
du = da * v
dv = da * u
