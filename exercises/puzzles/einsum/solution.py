"""A right answer: the letters of the tensor that is asked for on the right, all others on the left."""

# ruff: noqa: F821
# mypy: ignore-errors

du = torch.einsum("b,bj,ij->bi", dy, v, W)
dW = torch.einsum("b,bj,bi->ij", dy, v, u)
dv = torch.einsum("b,bj->bj", dy, torch.einsum("bi,ij->bj", u, W))
