"""A right answer: the softmax, less one where the target is, averaged over the minibatch."""

# ruff: noqa: F821
# mypy: ignore-errors

dlogits = F.softmax(logits, 1)
dlogits[range(n), Yb] -= 1
dlogits /= n
