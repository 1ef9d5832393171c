"""A right answer: the derived lines."""

# ruff: noqa: F821
# mypy: ignore-errors

dy = g
da = 2 * a * dy
du = (1.0 - u.tanh()**2) * (da * v)
dv = da * u.tanh()
