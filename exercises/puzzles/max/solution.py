"""A right answer: the gradient goes to the largest number that was seen."""

# ruff: noqa: F821
# mypy: ignore-errors

dseen = (seen == y[:, None]) * dy[:, None]
dx = dseen.masked_fill(hidden, 0.0)
