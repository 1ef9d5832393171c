e = x[:, i]
y = e**2
loss = (y * g).sum()
