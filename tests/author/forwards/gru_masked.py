# a GRU over padded sequences with a mask, masked mean of the loss
# --- given
hidden = 4
alpha = 0.3
xs = data(3, 2, 3)
lengths = [3, 2]
Wx = param(3, 12)
Wh = param(4, 12)
bx = param(12)
bh = param(12)
Wy = param(4, 3)
ys = labels(3, 3, 2)
# --- lines
m = (torch.arange(3)[:, None] < torch.tensor(lengths)[None, :]).float()
h = torch.zeros(xs.shape[1], hidden)
losses = []
for t in range(xs.shape[0]):
    gx = xs[t] @ Wx + bx
    gh = h @ Wh + bh
    xr, xz, xn = gx.split(hidden, dim=-1)
    hr, hz, hn = gh.split(hidden, dim=-1)
    r = torch.sigmoid(xr + hr)
    z = torch.sigmoid(xz + hz)
    n = torch.tanh(xn + r * hn)
    h_new = (1 - z) * n + z * h
    h = m[t].unsqueeze(-1) * h_new + (1 - m[t]).unsqueeze(-1) * h
    logits = h @ Wy
    losses.append(F.cross_entropy(logits, ys[t], reduction='none', label_smoothing=0.1) * m[t])
loss = torch.stack(losses).sum() / m.sum().clamp(min=1.0) + alpha * (h ** 2).mean()
