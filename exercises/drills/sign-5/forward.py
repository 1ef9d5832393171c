a = u / w
y = torch.tanh(a)
loss = (y * g).sum()
