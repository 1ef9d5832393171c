"""A right answer, in statements: the logarithms, the sigmoid, the two layers."""

# ruff: noqa: F821
# mypy: ignore-errors

dyes = torch.ones_like(yes) * (-1.0 / n)
dno = torch.ones_like(no) * (-1.0 / n)
dp = dyes * y / p - dno * (1 - y) / (1 - p)
dz = dp * (1 - p) * p

dh = dz @ W2.T
dW2 = h.T @ dz
db2 = dz.sum(0)
dhpreact = (1.0 - h**2) * dh
dW1 = x.T @ dhpreact
db1 = dhpreact.sum(0)
