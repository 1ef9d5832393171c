h = x @ W
a = h.log()
loss = (a * g).sum()
