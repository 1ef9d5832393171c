a = torch.tanh(x)
y = x - 7 * a
loss = (y * g).sum()
