a = 7 * x
y = a.exp()
loss = (y * g).sum()
