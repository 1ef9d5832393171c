a = c - x
y = a.exp()
loss = (y * g).sum()
