"""A right answer, in statements: the gradients of all parameters, from the forward pass that is already there."""

# ruff: noqa: F821
# mypy: ignore-errors

# the loss at the logits: the softmax, less one where the target is, averaged over the minibatch
dlogits = F.softmax(logits, 1)
dlogits[range(n), Yb] -= 1
dlogits /= n

dh = dlogits @ W2.T
dW2 = h.T @ dlogits
db2 = dlogits.sum(0)
dhpreact = (1.0 - h**2) * dh

# batch normalisation, at its gain and its shift, and at its input in one expression
dbngain = (bnraw * dhpreact).sum(0, keepdim=True)
dbnbias = dhpreact.sum(0, keepdim=True)
column = n * dhpreact - dhpreact.sum(0) - n / (n - 1) * bnraw * (dhpreact * bnraw).sum(0)
dhprebn = bngain * bnvar_inv / n * column

dembcat = dhprebn @ W1.T
dW1 = embcat.T @ dhprebn
db1 = dhprebn.sum(0)

# a character that occurs more than once collects from every place it stands in
demb = dembcat.view(emb.shape)
dC = torch.zeros_like(C)
dC.index_add_(0, Xb.view(-1), demb.view(-1, C.shape[1]))
