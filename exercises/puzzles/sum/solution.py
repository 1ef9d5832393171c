"""A right answer: every entry of a row gets the gradient of its sum."""

# ruff: noqa: F821
# mypy: ignore-errors

dx = dy.unsqueeze(1) * torch.ones_like(x)
