"""A right answer: the derived lines."""

# ruff: noqa: F821
# mypy: ignore-errors

dy = g
da = dy.unsqueeze(1).expand_as(a)
dx = 2 * x * da
