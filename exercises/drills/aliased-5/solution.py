"""A right answer: the derived lines."""

# ruff: noqa: F821
# mypy: ignore-errors

da = g * a.cos()
de = -da
dx = da + de * e
