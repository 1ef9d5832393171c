"""A right answer: the derived lines."""

# ruff: noqa: F821
# mypy: ignore-errors

dy = g
de = dy * e.cos()
dw = torch.zeros_like(w).index_put((i,), de, accumulate=True)
