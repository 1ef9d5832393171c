a = u * v
y = torch.tanh(a)
loss = (y * g).sum()
