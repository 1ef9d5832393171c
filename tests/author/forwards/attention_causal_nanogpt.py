# nanoGPT: CausalSelfAttention.forward, buffers and self.* from the module
# --- given
x = data(2, 5, 8)
Wqkv = param(8, 24)
bqkv = param(24)
Wo = param(8, 8)
g = data(2, 5, 8)
n_head = 2
n_embd = 8
dropout = 0.0
# --- lines
B, T, C = x.size() # batch size, sequence length, embedding dimensionality (n_embd)

# calculate query, key, values for all heads in batch and move head forward to be the batch dim
q, k, v  = (x @ self.Wqkv + self.bqkv).split(self.n_embd, dim=2)
k = k.view(B, T, self.n_head, C // self.n_head).transpose(1, 2) # (B, nh, T, hs)
q = q.view(B, T, self.n_head, C // self.n_head).transpose(1, 2) # (B, nh, T, hs)
v = v.view(B, T, self.n_head, C // self.n_head).transpose(1, 2) # (B, nh, T, hs)
bias = torch.tril(torch.ones(T, T)).view(1, 1, T, T)
# manual implementation of attention
att = (q @ k.transpose(-2, -1)) * (1.0 / math.sqrt(k.size(-1)))
att = att.masked_fill(bias[:,:,:T,:T] == 0, float('-inf'))
att = F.softmax(att, dim=-1)
if dropout > 0:
    att = F.dropout(att, p=dropout)
y = att @ v # (B, nh, T, T) x (B, nh, T, hs) -> (B, nh, T, hs)
y = y.transpose(1, 2).contiguous().view(B, T, C) # re-assemble all head outputs side by side
y = y @ self.Wo
loss = (y * g).sum()
