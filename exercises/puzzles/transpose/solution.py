"""A right answer: the axes go back to where they came from."""

# ruff: noqa: F821
# mypy: ignore-errors

dx = dy.permute(1, 2, 0)
