a = 3 * x
y = a.exp() + x
loss = (y * g).sum()
