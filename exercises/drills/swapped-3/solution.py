"""A right answer: the derived lines."""

# ruff: noqa: F821
# mypy: ignore-errors

dy = g
da = dy * a.cos()
du = da * v * u.exp()
dv = da * u.exp()
