# lucidrains' style: rearrange and einsum everywhere
# --- given
x = data(2, 6, 8)
to_qkv = param(8, 24)
to_out = param(8, 8)
g = data(2, 8)
heads = 2
# --- lines
from einops import rearrange, reduce, repeat
from torch import einsum

qkv = (x @ to_qkv).chunk(3, dim=-1)
q, k, v = map(lambda t: rearrange(t, 'b n (h d) -> b h n d', h=heads), qkv)
sim = einsum('b h i d, b h j d -> b h i j', q, k) * 4 ** -0.5
sim = sim - sim.amax(dim=-1, keepdim=True).detach()
attn = sim.softmax(dim=-1)
out = einsum('b h i j, b h j d -> b h i d', attn, v)
out = rearrange(out, 'b h n d -> b n (h d)')
out = reduce(out @ to_out, 'b n d -> b d', 'mean')
loss = (out * g).sum()
