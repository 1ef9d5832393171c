"""A right answer: the derived lines."""

# ruff: noqa: F821
# mypy: ignore-errors

dy = g
de = dy * y
dE = torch.zeros_like(E).index_put((i,), de, accumulate=True)
