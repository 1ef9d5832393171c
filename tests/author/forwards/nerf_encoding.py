# NeRF: positional encoding in a loop, an MLP, volume rendering with cumprod
# --- given
pts = data(2, 6, 3)
W1 = param(27, 16)
W2 = param(16, 4)
target = uniform(2, 3)
L = 4
# --- lines
enc = [pts]
for i in range(L):
    for fn in [torch.sin, torch.cos]:
        enc.append(fn(2.0 ** i * math.pi * pts))
enc = torch.cat(enc, -1)
h = F.relu(enc @ W1)
raw = h @ W2
rgb = torch.sigmoid(raw[..., :3])
sigma_a = F.relu(raw[..., 3])
delta = 0.1
alpha = 1. - torch.exp(-sigma_a * delta)
trans = torch.cumprod(torch.cat([torch.ones(alpha.shape[0], 1), 1. - alpha + 1e-10], -1), -1)[:, :-1]
weights = alpha * trans
rgb_map = torch.sum(weights[..., None] * rgb, -2)
loss = torch.mean((rgb_map - target) ** 2)
