# a normalising flow: affine coupling in a loop, log-determinant, the prior's log-probability
# --- given
x = data(6, 4)
S0 = param(2, 2)
T0 = param(2, 2)
S1 = param(2, 2)
T1 = param(2, 2)
# --- lines
log_det = torch.zeros(x.shape[0])
z = x
for (S, Tm) in [(S0, T0), (S1, T1)]:
    za, zb = z[:, :2], z[:, 2:]
    s = torch.tanh(za @ S)
    t = za @ Tm
    zb = zb * torch.exp(s) + t
    z = torch.cat([zb, za], dim=1)
    log_det += s.sum(dim=1)
log_pz = -0.5 * (z ** 2 + math.log(2 * math.pi)).sum(1)
loss = -(log_pz + log_det).mean()
