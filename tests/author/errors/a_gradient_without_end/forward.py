h = x * w
r = h.sqrt()
loss = (r * g).sum()
