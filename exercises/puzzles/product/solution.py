"""A right answer: each side gets the gradient times the other side."""

# ruff: noqa: F821
# mypy: ignore-errors

da = dy * b
db = dy * a
