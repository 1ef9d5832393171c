h = x @ W
a = h.tanh()
loss = (h * g).sum()
