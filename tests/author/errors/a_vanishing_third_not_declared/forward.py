qkv = x @ Wqkv + bqkv
q, k, v = qkv.chunk(3, dim=-1)
s = q @ k.transpose(-2, -1)
p = s.softmax(-1)
y = p @ v
loss = (y * g).sum()
