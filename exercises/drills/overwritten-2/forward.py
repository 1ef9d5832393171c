e = E[i]
y = e.exp()
loss = (y * g).sum()
