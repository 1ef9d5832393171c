# SimCLR NT-Xent: cat of two views, similarity matrix, the diagonal masked away
# --- given
x1 = data(4, 6)
x2 = data(4, 6)
W = param(6, 5)
temperature = 0.5
# --- lines
z_i, z_j = F.normalize(x1 @ W, dim=1), F.normalize(x2 @ W, dim=1)
N = 2 * z_i.shape[0]
z = torch.cat((z_i, z_j), dim=0)
sim = z @ z.T / temperature
mask = torch.eye(N, dtype=torch.bool)
sim = sim.masked_fill(mask, -9e15)
targets = torch.arange(N).roll(shifts=N // 2, dims=0)
pos_sim = sim[torch.arange(N), targets]
nll = -pos_sim + torch.logsumexp(sim, dim=-1)
loss = nll.mean()
