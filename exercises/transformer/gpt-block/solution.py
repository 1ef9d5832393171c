dlogprobs = torch.zeros_like(logprobs)
dlogprobs[range(n), targets] = -1.0 / n
dprobs = dlogprobs / probs
dflat = probs * (dprobs - (probs * dprobs).sum(1, keepdim=True))
dlogits = dflat.view(B, T, V)
dout = dlogits @ wte
dwte = dlogits.view(n, V).T @ out.view(n, C)
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
da = dmid.clone()
dy = da @ W_o.T
dW_o = y.view(n, C).T @ da.view(n, C)
db_o = da.sum((0, 1))
dyh = dy.view(B, T, H, C // H).transpose(1, 2)
datt = dyh @ vh.transpose(-2, -1)
dvh = att.transpose(-2, -1) @ dyh
dmasked = att * (datt - (att * datt).sum(-1, keepdim=True))
dscores = dmasked.masked_fill(mask, 0.0)
dqh = dscores @ kh * (C // H) ** -0.5
dkh = dscores.transpose(-2, -1) @ qh * (C // H) ** -0.5
dv = dvh.transpose(1, 2).reshape(B, T, C)
dk = dkh.transpose(1, 2).reshape(B, T, C)
dq = dqh.transpose(1, 2).reshape(B, T, C)
dqkv = torch.cat((dq, dk, dv), dim=-1)
dxn1 = dqkv @ W_qkv.T
dW_qkv = xn1.view(n, C).T @ dqkv.view(n, 3 * C)
dxhat1 = dxn1 * gain1
dgain1 = (dxn1 * xhat1).sum((0, 1))
dbias1 = dxn1.sum((0, 1))
dinv1 = (dxhat1 * centred1).sum(-1, keepdim=True)
dvar1 = dinv1 * -0.5 * (var1 + 1e-5) ** -1.5
dcentred1 = dxhat1 * inv1 + dvar1 * 2.0 * centred1 / C
dmean1 = -dcentred1.sum(-1, keepdim=True)
dx = dmid + dcentred1 + dmean1 / C
dtok = dx.clone()
dwpe = dx.sum(0)
dwte += torch.zeros_like(wte).index_add_(0, idx.view(n), dtok.view(n, C))  # the table is used twice
