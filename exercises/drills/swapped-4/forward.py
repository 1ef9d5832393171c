a = torch.tanh(u) * v
y = a**2
loss = (y * g).sum()
