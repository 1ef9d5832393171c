"""A right answer: a number collects from every window that it stands in."""

# ruff: noqa: F821
# mypy: ignore-errors

dx = torch.zeros_like(x)
for k in (2, 1, 0):
    dx[:, k : k + 5] += dy[:, :, k]
