a = x.cos()
y = a**2
loss = (y * g).sum()
