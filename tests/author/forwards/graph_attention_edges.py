# scatter add GNN with edge index, segment mean; degree
# --- given
x = data(5, 4)
src = labels(5, 8)
dst = labels(5, 8)
W = param(4, 3)
att = param(6)
g = data(5, 3)
# --- lines
h = x @ W
e = F.leaky_relu(torch.cat([h[src], h[dst]], dim=1) @ att, negative_slope=0.2)
e = e - e.max()
num = torch.exp(e)
den = torch.zeros(5).scatter_add_(0, dst, num)
alpha = num / (den[dst] + 1e-16)
out = torch.zeros(5, 3)
out.index_add_(0, dst, alpha.unsqueeze(-1) * h[src])
out = F.elu(out)
loss = (out * g).sum()
