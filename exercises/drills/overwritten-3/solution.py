"""A right answer: the derived lines."""

# ruff: noqa: F821
# mypy: ignore-errors

dy = g
de = 2 * e * dy
dx = torch.zeros_like(x).index_add(1, i, de)
