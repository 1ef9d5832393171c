"""A right answer: the gradient passes where x is above zero."""

# ruff: noqa: F821
# mypy: ignore-errors

dx = dy * (x > 0)
