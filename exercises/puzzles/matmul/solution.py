"""A right answer: each factor gets the gradient times the other factor, transposed."""

# ruff: noqa: F821
# mypy: ignore-errors

dA = dY @ B.T
dB = A.T @ dY
