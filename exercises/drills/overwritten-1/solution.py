"""A right answer: the derived lines."""

# ruff: noqa: F821
# mypy: ignore-errors

dy = g
de = (1.0 - y**2) * dy
dE = torch.zeros_like(E).index_put((i,), de, accumulate=True)
