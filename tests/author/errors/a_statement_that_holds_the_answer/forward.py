h = x @ W
a = h.tanh()
loss = (a * g).sum()
