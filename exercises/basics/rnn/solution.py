"""A right answer: the states one after the other, back in time, and then the weights with three terms each."""

# ruff: noqa: F821
# mypy: ignore-errors

da3 = (1.0 - h3**2) * dh3
dh2 = da3 @ Wh.T
da2 = (1.0 - h2**2) * dh2
dh1 = da2 @ Wh.T
da1 = (1.0 - h1**2) * dh1

# the weights are used in all three steps
dWx = x[:, 2].T @ da3 + x[:, 1].T @ da2 + x[:, 0].T @ da1
dWh = h2.T @ da3 + h1.T @ da2 + h0.T @ da1
db = da3.sum(0) + da2.sum(0) + da1.sum(0)
dh0 = da1 @ Wh.T
