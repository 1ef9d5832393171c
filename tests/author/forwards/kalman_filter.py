# a Kalman filter whose likelihood is the loss: inverse, solve, log-determinant
# --- given
zs = data(4, 2)
Fm = param(2, 2)
Q = param(2)
R = param(2)
# --- lines
x = torch.zeros(2)
P = torch.eye(2)
nll = 0.
for z in zs:
    x = Fm @ x
    P = Fm @ P @ Fm.T + torch.diag(F.softplus(Q))
    S = P + torch.diag(F.softplus(R))
    K = P @ torch.linalg.inv(S)
    y = z - x
    nll = nll + 0.5 * (y @ torch.linalg.solve(S, y) + torch.logdet(S))
    x = x + K @ y
    P = (torch.eye(2) - K) @ P
loss = nll / len(zs)
