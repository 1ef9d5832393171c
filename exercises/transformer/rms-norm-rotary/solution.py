dqr = dscores @ kr / C ** 0.5
dkr = dscores.transpose(-2, -1) @ qr / C ** 0.5
dq_first, dq_second = dqr.chunk(2, dim=-1)
dq1 = dq_first * cos + dq_second * sin
dq2 = dq_second * cos - dq_first * sin
dk_first, dk_second = dkr.chunk(2, dim=-1)
dk1 = dk_first * cos + dk_second * sin
dk2 = dk_second * cos - dk_first * sin
dq = torch.cat((dq1, dq2), dim=-1)
dk = torch.cat((dk1, dk2), dim=-1)
dxn = dq @ W_q.T + dk @ W_k.T
dW_q = xn.view(B * T, C).T @ dq.view(B * T, C)
dW_k = xn.view(B * T, C).T @ dk.view(B * T, C)
dxhat = dxn * gain
dgain = (dxn * xhat).sum((0, 1))
dinv = (dxhat * x).sum(-1, keepdim=True)
dms = dinv * -0.5 * (ms + 1e-5) ** -1.5
dsquare = torch.ones_like(square) * dms / C
dx = dxhat * inv + dsquare * 2.0 * x
