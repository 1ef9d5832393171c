"""A right answer, in statements: the margins, the right scores, the two layers with their penalty."""

# ruff: noqa: F821
# mypy: ignore-errors

dhinge = torch.ones_like(hinge) / n
dmargins = dhinge * (margins > 0)
dcorrect = -dmargins.sum(1, keepdim=True)
dscores = dmargins.clone()
dscores[range(n), y] += dcorrect.view(n)  # the right score is read twice

dh = dscores @ W2.T
dW2 = h.T @ dscores + 0.05 * (2 * W2)  # by the layer, and by the penalty in the loss
db2 = dscores.sum(0)
dhpreact = dh * (hpreact > 0)
dW1 = x.T @ dhpreact + 0.05 * (2 * W1)
db1 = dhpreact.sum(0)
