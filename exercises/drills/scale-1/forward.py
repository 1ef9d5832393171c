a = x**2
y = a.sin()
loss = (y * g).sum()
