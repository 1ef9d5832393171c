# a char-RNN whose outputs are written into fresh zeros, loss accumulated step by step
# --- given
inputs = labels(7, 4, 3)
targets = labels(7, 4, 3)
Wxh = param(7, 5)
Whh = param(5, 5)
Why = param(5, 7)
bh = param(5)
by = param(7)
# --- lines
seq_len, batch = inputs.shape
outs = torch.zeros(seq_len, batch, 7)
h = torch.zeros(batch, 5)
loss = 0
for t in range(seq_len):
    xt = F.one_hot(inputs[t], 7).float()
    h = torch.tanh(torch.matmul(xt, Wxh) + torch.matmul(h, Whh) + bh)
    outs[t] = torch.matmul(h, Why) + by
for t in range(seq_len):
    loss += F.cross_entropy(outs[t], targets[t])
loss /= seq_len
loss.backward()
