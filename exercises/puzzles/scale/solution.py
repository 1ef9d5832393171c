"""A right answer."""

# ruff: noqa: F821
# mypy: ignore-errors

dx = -2.5 * dy
