s = x.sum(1, keepdim=True)
y = s - 7 * x
loss = (y * g).sum()
