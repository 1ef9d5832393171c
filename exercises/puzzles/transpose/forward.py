y = x.permute(2, 0, 1)
loss = (y * dy).sum()
