"""A right answer: the gradients of the zeros belong to nobody."""

# ruff: noqa: F821
# mypy: ignore-errors

dx = dy[:, 1:-2]
