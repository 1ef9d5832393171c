a = x @ W
y = a * x
loss = (y * g).sum()
