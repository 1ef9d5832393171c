# self-supervised losses: Barlow Twins' off-diagonal terms and VICReg's variance hinge
# --- given
x1 = data(6, 5)
x2 = data(6, 5)
W = param(5, 4)
lambd = 0.005
# --- lines
def off_diagonal(x):
    # return a flattened view of the off-diagonal elements of a square matrix
    n, m = x.shape
    assert n == m
    return x.flatten()[:-1].view(n - 1, n + 1)[:, 1:].flatten()

z1, z2 = x1 @ W, x2 @ W
n = z1.shape[0]
z1n = (z1 - z1.mean(0)) / z1.std(0)
z2n = (z2 - z2.mean(0)) / z2.std(0)
c = z1n.T @ z2n
c.div_(n)
on_diag = torch.diagonal(c).add(-1).pow(2).sum()
off_diag = off_diagonal(c).pow(2).sum()
std_loss = torch.mean(F.relu(1 - torch.sqrt(z1.var(dim=0) + 0.0001))) / 2
loss = on_diag + lambd * off_diag + std_loss
