y = x.flip(1)
loss = (y * dy).sum()
