"""A right answer: the row itself, made as long as its gradient."""

# ruff: noqa: F821
# mypy: ignore-errors

dx = dy[:, None] * (x / y[:, None])
