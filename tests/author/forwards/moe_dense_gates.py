# a mixture of experts with dense gates: experts in a comprehension, stacked, weighted
# --- given
x = data(5, 4)
Wg = param(4, 3)
E0 = param(4, 6)
E1 = param(4, 6)
E2 = param(4, 6)
y = data(5, 6)
# --- lines
experts = [E0, E1, E2]
gates = F.softmax(x @ Wg, dim=-1)
outputs = torch.stack([torch.relu(x @ W) for W in experts], dim=1)
mixed = (gates.unsqueeze(-1) * outputs).sum(dim=1)
importance = gates.sum(0)
balance = importance.var() / (importance.mean() ** 2 + 1e-10)
loss = F.mse_loss(mixed, y) + 0.01 * balance
