# ALiBi: slopes from a comprehension, a linear bias added to the scores
# --- given
q = param(1, 4, 5, 3)
k = param(1, 4, 5, 3)
v = data(1, 4, 5, 3)
g = data(1, 4, 5, 3)
# --- lines
n_heads = q.shape[1]
start = 2 ** (-(2 ** -(math.log2(n_heads) - 3)))
slopes = torch.tensor([start * start ** i for i in range(n_heads)]).view(-1, 1, 1)
T = q.shape[2]
pos = torch.arange(T)
dist = (pos[None, :] - pos[:, None]).float()
scores = torch.einsum('bhid,bhjd->bhij', q, k) * q.shape[-1] ** -0.5 + slopes * dist
causal = torch.ones(T, T, dtype=torch.bool).triu(1)
scores.masked_fill_(causal, -torch.finfo(scores.dtype).max)
attn = scores.softmax(dim=-1)
out = torch.einsum('bhij,bhjd->bhid', attn, v)
loss = (out * g).sum()
