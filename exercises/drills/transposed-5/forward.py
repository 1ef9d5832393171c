a = x.T
y = torch.tanh(a @ W)
loss = (y * g).sum()
