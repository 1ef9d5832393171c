mean2 = mid.mean(-1, keepdim=True)
centred2 = mid - mean2
var2 = (centred2 ** 2).mean(-1, keepdim=True)
inv2 = (var2 + 1e-5) ** -0.5
xhat2 = centred2 * inv2
xn2 = xhat2 * gain2 + bias2
h = xn2 @ W_fc + b_fc
cdf = 0.5 * (1.0 + torch.erf(h / 2.0 ** 0.5))
act = h * cdf
m = act @ W_proj + b_proj
out = mid + m
loss = (out * dout).sum()
