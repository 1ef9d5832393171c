"""A right answer."""

# ruff: noqa: F821
# mypy: ignore-errors

dx = dy * (2 * x)
