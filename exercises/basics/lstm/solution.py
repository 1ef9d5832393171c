"""A right answer, in statements: the states, the gates, the linear layer."""

# ruff: noqa: F821
# mypy: ignore-errors

do = dh_next * squashed
dsquashed = dh_next * o
dc_next = (1.0 - squashed**2) * dsquashed + dc_later  # shown now, and kept for later
df = dc_next * c
dc = dc_next * f
di = dc_next * g
dg = dc_next * i

dao = do * (1 - o) * o
dag = (1.0 - g**2) * dg
daf = df * (1 - f) * f
dai = di * (1 - i) * i
dgates = torch.cat([dai, daf, dag, dao], 1)  # in the order of chunk

dxh = dgates @ W.T
dW = xh.T @ dgates
db = dgates.sum(0)
dh = dxh[:, 6:]  # the first six columns are the input's
