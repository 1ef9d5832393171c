e = E[i]
y = torch.tanh(e)
loss = (y * g).sum()
