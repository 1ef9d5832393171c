# SwiGLU feed-forward with a residual and pre-norm
# --- given
x = param(3, 6)
w1 = param(6, 10)
w2 = param(10, 6)
w3 = param(6, 10)
gamma = param(6, mean=1.0, scale=0.1)
g = data(3, 6)
# --- lines
residual = x
x = F.layer_norm(x, (x.shape[-1],), weight=gamma)
x = F.silu(x @ w1) * (x @ w3)
x = residual + x @ w2
loss = torch.sum(x * g)
