a = x.cos()
y = a * x
loss = (y * g).sum()
