dxhat = dout * gain
dgain = (dout * xhat).sum((0, 1))
dbias = dout.sum((0, 1))
dinv = (dxhat * centred).sum(-1, keepdim=True)
dvar = dinv * -0.5 * (var + 1e-5) ** -1.5
dsquare = torch.ones_like(square) * dvar / C
dcentred = dxhat * inv + dsquare * 2.0 * centred
dmean = -dcentred.sum(-1, keepdim=True)
dx = dcentred + dmean / C
