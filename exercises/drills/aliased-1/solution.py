"""A right answer: the derived lines."""

# ruff: noqa: F821
# mypy: ignore-errors

da = 2 * a * g
dm = -da.sum(0, keepdim=True)
dx = da + dm / 8
