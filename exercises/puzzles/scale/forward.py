y = -2.5 * x
loss = (y * dy).sum()
