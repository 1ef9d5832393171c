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
