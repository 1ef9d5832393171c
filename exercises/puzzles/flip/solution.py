"""A right answer: a flip is undone by the same flip."""

# ruff: noqa: F821
# mypy: ignore-errors

dx = dy.flip(1)
