"""A right answer: the derived lines."""

# ruff: noqa: F821
# mypy: ignore-errors

da = (1.0 - a.tanh()**2) * g
ds = da.sum(0, keepdim=True)
dx = da + ds
