a = x @ W
y = a.exp()
loss = (y * g).sum()
