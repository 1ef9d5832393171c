"""A right answer: the derived lines."""

# ruff: noqa: F821
# mypy: ignore-errors

dy = g
da = (1.0 - a.tanh()**2) * (dy * x)
dx = dy * a.tanh() + da / 7
