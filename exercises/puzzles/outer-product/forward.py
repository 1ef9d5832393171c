Y = u[:, None] * v
loss = (Y * dY).sum()
