m = x.mean(0, keepdim=True)
y = x - 7 * m
loss = (y * g).sum()
