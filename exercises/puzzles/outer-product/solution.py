"""A right answer: a number collects from its whole row, or from its whole column."""

# ruff: noqa: F821
# mypy: ignore-errors

du = (dY * v).sum(1)
dv = (dY * u[:, None]).sum(0)
