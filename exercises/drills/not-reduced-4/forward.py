a = x - b
y = a**2
loss = (y * g).sum()
