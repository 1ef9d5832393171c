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
dwte = torch.zeros_like(wte).index_add_(0, idx.view(n), dtok.view(n, C))
