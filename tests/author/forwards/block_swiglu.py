# a decoder block: pre-norm RMSNorm, grouped-query causal attention, SwiGLU
# --- given
B, T, C = 2, 5, 8
n_heads, n_kv_heads = 4, 2
head_dim = 2
hidden_dim = 12
eps = 1e-5
x = data(B, T, C)
norm1 = param(C, mean=1.0, scale=0.1)
norm2 = param(C, mean=1.0, scale=0.1)
wq = param(C, 8)
wk = param(C, 4)
wv = param(C, 4)
wo = param(8, C)
w1 = param(C, 12)
w2 = param(12, C)
w3 = param(C, 12)
g = data(B, T, C)
# --- lines
def rms_norm(x, weight, eps):
    return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + eps) * weight

def repeat_kv(x, n_rep):
    bs, slen, n_kv, hd = x.shape
    if n_rep == 1:
        return x
    return x[:, :, :, None, :].expand(bs, slen, n_kv, n_rep, hd).reshape(bs, slen, n_kv * n_rep, hd)

h = rms_norm(x, norm1, eps)
q = (h @ wq).view(B, T, n_heads, head_dim)
k = (h @ wk).view(B, T, n_kv_heads, head_dim)
v = (h @ wv).view(B, T, n_kv_heads, head_dim)
k = repeat_kv(k, n_heads // n_kv_heads)
v = repeat_kv(v, n_heads // n_kv_heads)
q, k, v = q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2)
scores = torch.matmul(q, k.transpose(2, 3)) / math.sqrt(head_dim)
mask = torch.full((T, T), float("-inf")).triu(diagonal=1)
scores = scores + mask
probs = F.softmax(scores.float(), dim=-1).type_as(q)
out = torch.matmul(probs, v).transpose(1, 2).contiguous().view(B, T, -1)
x = x + out @ wo
h = rms_norm(x, norm2, eps)
x = x + (F.silu(h @ w1) * (h @ w3)) @ w2
loss = (x * g).sum()
