# Sinkhorn optimal transport
# --- given
x = param(4, 2)
y = data(5, 2)
eps = 0.5
# --- lines
C = ((x[:, None, :] - y[None, :, :]) ** 2).sum(-1)
n, m = C.shape
log_mu = torch.full((n,), -math.log(n))
log_nu = torch.full((m,), -math.log(m))
u, v = torch.zeros(n), torch.zeros(m)
M = lambda u, v: (-C + u.unsqueeze(-1) + v.unsqueeze(-2)) / eps
for _ in range(3):
    u = eps * (log_mu - torch.logsumexp(M(u, v), dim=-1)) + u
    v = eps * (log_nu - torch.logsumexp(M(u, v).transpose(-2, -1), dim=-1)) + v
pi = torch.exp(M(u, v))
cost = torch.sum(pi * C)
