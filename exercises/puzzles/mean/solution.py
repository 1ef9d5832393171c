"""A right answer: every entry of a column gets its share of the mean's gradient."""

# ruff: noqa: F821
# mypy: ignore-errors

dx = dy * torch.ones_like(x) / 6
