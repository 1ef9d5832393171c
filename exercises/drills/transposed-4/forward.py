a = x @ W.T
y = a**2
loss = (y * g).sum()
