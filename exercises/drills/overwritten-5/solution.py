"""A right answer: the derived lines."""

# ruff: noqa: F821
# mypy: ignore-errors

dy = g
de = dy * (1.0 - y) * y
dE = torch.zeros_like(E).index_put((i,), de, accumulate=True)
