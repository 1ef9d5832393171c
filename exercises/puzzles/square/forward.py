y = x**2
loss = (y * dy).sum()
