s = x.sum(1, keepdim=True)
y = x * s
loss = (y * g).sum()
