h = x @ W + b
a = h.tanh()
loss = (a * g).sum()
