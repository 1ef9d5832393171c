h = x @ W
loss = (h * g).sum()
