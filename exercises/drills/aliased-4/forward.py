s = x.sum(0, keepdim=True)
a = x + s
loss = (torch.tanh(a) * g).sum()
