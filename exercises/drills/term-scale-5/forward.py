a = x / 7
y = torch.tanh(a) * x
loss = (y * g).sum()
