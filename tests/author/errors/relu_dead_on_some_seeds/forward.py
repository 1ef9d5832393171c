h = x @ W - 1.5
a = h.relu()
loss = (a * g).sum()
