square = x ** 2
ms = square.mean(-1, keepdim=True)
inv = (ms + 1e-5) ** -0.5
xhat = x * inv
xn = xhat * gain
q = xn @ W_q
k = xn @ W_k
frequency = 10000.0 ** (-torch.arange(0, C, 2) / C)
angle = torch.arange(T)[:, None] * frequency
cos, sin = angle.cos(), angle.sin()
q1, q2 = q.chunk(2, dim=-1)
k1, k2 = k.chunk(2, dim=-1)
qr = torch.cat((q1 * cos - q2 * sin, q1 * sin + q2 * cos), dim=-1)
kr = torch.cat((k1 * cos - k2 * sin, k1 * sin + k2 * cos), dim=-1)
scores = qr @ kr.transpose(-2, -1) / C ** 0.5
loss = (scores * dscores).sum()
