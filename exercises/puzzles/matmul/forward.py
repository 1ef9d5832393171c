Y = A @ B
loss = (Y * dY).sum()
