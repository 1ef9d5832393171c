"""A right answer: the softmax of the row, times the gradient of the row."""

# ruff: noqa: F821
# mypy: ignore-errors

dx = dy[:, None] * torch.exp(x - y[:, None])
