# LLaMA: RMSNorm and rotary embeddings with cos and sin, rotate_half
# --- given
x = data(2, 4, 8)
wq = param(8, 8)
wk = param(8, 8)
scale = param(8, mean=1.0, scale=0.1)
g = data(2, 2, 4, 4)
base = 10000.0
# --- lines
def rms_norm(x, weight, eps=1e-6):
    return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + eps) * weight

def rotate_half(x):
    """Rotates half the hidden dims of the input."""
    x1 = x[..., : x.shape[-1] // 2]
    x2 = x[..., x.shape[-1] // 2 :]
    return torch.cat((-x2, x1), dim=-1)

def apply_rotary_pos_emb(q, k, cos, sin):
    q_embed = (q * cos) + (rotate_half(q) * sin)
    k_embed = (k * cos) + (rotate_half(k) * sin)
    return q_embed, k_embed

bsz, seqlen, dim = x.shape
n_heads, head_dim = 2, dim // 2
inv_freq = 1.0 / (base ** (torch.arange(0, head_dim, 2).float() / head_dim))
t = torch.arange(seqlen, dtype=torch.float32)
freqs = torch.einsum("i,j->ij", t, inv_freq)
emb = torch.cat((freqs, freqs), dim=-1)
cos, sin = emb.cos()[None, None, :, :], emb.sin()[None, None, :, :]
h = rms_norm(x, scale)
q = (h @ wq).view(bsz, seqlen, n_heads, head_dim).transpose(1, 2)
k = (h @ wk).view(bsz, seqlen, n_heads, head_dim).transpose(1, 2)
q, k = apply_rotary_pos_emb(q, k, cos, sin)
scores = torch.matmul(q, k.transpose(2, 3)) / math.sqrt(head_dim)
scores = F.softmax(scores.float(), dim=-1).type_as(q)
loss = (scores * g).sum()
