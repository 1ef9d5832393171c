"""A right answer: the derived lines."""

# ruff: noqa: F821
# mypy: ignore-errors

da = g * a.cos()
dm = -da.sum(1, keepdim=True)
dx = da + dm / 4
