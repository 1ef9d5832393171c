h = x * w
loss = (h * g).sum()
