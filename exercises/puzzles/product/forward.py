y = a * b
loss = (y * dy).sum()
