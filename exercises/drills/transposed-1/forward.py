a = x @ W
y = torch.tanh(a)
loss = (y * g).sum()
