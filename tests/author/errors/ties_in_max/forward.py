h = x * w
m = h.max(1).values
loss = (m * g).sum()
