y = x.gather(1, index)
loss = (y * dy).sum()
