dm = dout.clone()
dact = dm @ W_proj.T
dW_proj = act.view(n, 4 * C).T @ dm.view(n, C)
db_proj = dm.sum((0, 1))
dcdf = dact * h
slope = 1.1283791670955126 * torch.exp(-((h / 2.0 ** 0.5) ** 2))  # of erf: 2 / sqrt(pi) * exp(-z**2)
dh = dact * cdf + dcdf * 0.5 * slope / 2.0 ** 0.5
dxn2 = dh @ W_fc.T
dW_fc = xn2.view(n, C).T @ dh.view(n, 4 * C)
db_fc = dh.sum((0, 1))
dxhat2 = dxn2 * gain2
dgain2 = (dxn2 * xhat2).sum((0, 1))
dbias2 = dxn2.sum((0, 1))
dinv2 = (dxhat2 * centred2).sum(-1, keepdim=True)
dvar2 = dinv2 * -0.5 * (var2 + 1e-5) ** -1.5
dcentred2 = dxhat2 * inv2 + dvar2 * 2.0 * centred2 / C
dmean2 = -dcentred2.sum(-1, keepdim=True)
dmid = dout + dcentred2 + dmean2 / C
