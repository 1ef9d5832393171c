h = x @ W_fc + b_fc
cdf = 0.5 * (1.0 + torch.erf(h / 2.0 ** 0.5))
act = h * cdf
m = act @ W_proj + b_proj
out = x + m
loss = (out * dout).sum()
