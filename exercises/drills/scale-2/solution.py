"""A right answer: the derived lines."""

# ruff: noqa: F821
# mypy: ignore-errors

dy = g
da = (dy.unsqueeze(1) / 8).expand_as(a)
dx = (1.0 - a**2) * da
