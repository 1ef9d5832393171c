"""A right answer: the derived lines."""

# ruff: noqa: F821
# mypy: ignore-errors

dy = g
ds = dy.sum(1, keepdim=True)
dx = 7 * -dy + ds
