tok = wte[idx]
x = tok + wpe
mean1 = x.mean(-1, keepdim=True)
centred1 = x - mean1
var1 = (centred1 ** 2).mean(-1, keepdim=True)
inv1 = (var1 + 1e-5) ** -0.5
xhat1 = centred1 * inv1
xn1 = xhat1 * gain1 + bias1
mid = x + a
loss = (xn1 * dxn1 + mid * dmid).sum()
