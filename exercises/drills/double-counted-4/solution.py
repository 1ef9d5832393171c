"""A right answer: the derived lines."""

# ruff: noqa: F821
# mypy: ignore-errors

dy = g
da = dy * x
dx = dy * a + da @ W.T
dW = x.T @ da
