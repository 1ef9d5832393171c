"""A right answer, in statements: the decoder, the code with both parts of the loss, the heads, the encoder."""

# ruff: noqa: F821
# mypy: ignore-errors

dout = 1 / out.numel() * (2 * (out - x))
dW3 = z.T @ dout
db3 = dout.sum(0)
dz = dout @ W3.T

# the code: what comes through the decoder, and what comes from the divergence
dstd = dz * eps
share = 0.5 / mu.numel()
dlogvar = share * logvar.exp() - share + 0.5 * (dstd * std)
dmu = share * (2 * mu) + dz

dWv = h.T @ dlogvar
dbv = dlogvar.sum(0)
dWm = h.T @ dmu
dbm = dmu.sum(0)
dh = dlogvar @ Wv.T + dmu @ Wm.T  # both heads read it
dhpreact = (1.0 - h**2) * dh
dW1 = x.T @ dhpreact
db1 = dhpreact.sum(0)
