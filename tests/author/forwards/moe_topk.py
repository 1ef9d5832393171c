# mixture of experts, softmax gate, top-2 renormalised, load balancing loss
# --- given
n_experts = 3
top_k = 2
aux_weight = 0.01
x = data(6, 5)
gate_w = param(5, n_experts)
w_in = param(n_experts, 5, 7)
b_in = param(n_experts, 7)
w_out = param(n_experts, 7, 4)
g = data(6, 4)
# --- lines
router_logits = x @ gate_w
gates = router_logits.softmax(dim=-1)
weights, selected = torch.topk(gates, top_k, dim=-1)
weights = weights / weights.sum(dim=-1, keepdim=True)
h = torch.einsum('nd,edh->neh', x, w_in) + b_in
h = F.gelu(h, approximate='tanh')
expert_out = torch.einsum('neh,ehd->ned', h, w_out)
picked = torch.gather(expert_out, 1, selected.unsqueeze(-1).expand(-1, -1, expert_out.size(-1)))
y = (weights.unsqueeze(-1) * picked).sum(dim=1)
with torch.no_grad():
    frac = F.one_hot(selected, n_experts).float().sum(1).mean(0)
importance = gates.mean(0)
aux = n_experts * (frac * importance).sum()
z_loss = torch.logsumexp(router_logits, dim=-1).pow(2).mean()
loss = (y * g).mean() + aux_weight * (aux + 0.1 * z_loss)
