y = x.mean(0)
loss = (y * dy).sum()
