"""A right answer: the derived lines."""

# ruff: noqa: F821
# mypy: ignore-errors

da = g * a.exp()
ds = da.sum(1, keepdim=True)
dx = da + ds
