"""A right answer: each factor gets the gradient times the other factor, transposed."""

# ruff: noqa: F821
# mypy: ignore-errors

dy = dout @ V.T
dV = y.T @ dout
dx = dy @ W.T
dW = x.T @ dy
db = dy.sum(0)
