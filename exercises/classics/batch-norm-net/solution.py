"""A right answer, in statements: softmax, the second layer, the normalisation, the first layer."""

# ruff: noqa: F821
# mypy: ignore-errors

dprobs = torch.zeros_like(probs)
dprobs[range(n), y] = -1.0 / n / probs[range(n), y]
dscores = (dprobs - (dprobs * probs).sum(1, keepdim=True)) * probs

da = dscores @ W2.T
dW2 = a.T @ dscores
db2 = dscores.sum(0)
dh = da * (h > 0)

# batch normalisation: sums run over the rows of a column
dgamma = (dh * xhat).sum(0)
dbeta = dh.sum(0)
dxhat = dh * gamma
dstd = -(dxhat * ((diff / std) / std)).sum(0)
dvar = dstd / (2 * std)
ddiff = dxhat / std + dvar / n * (2 * diff)  # read twice: by the quotient and by the variance
dmean = -ddiff.sum(0)
dhpreact = ddiff + dmean / n  # read twice: by the difference and by the mean

dW1 = x.T @ dhpreact
db1 = dhpreact.sum(0)  # the mean takes the bias off again: rounding noise around zero
