y = x.norm(dim=1)
loss = (y * dy).sum()
