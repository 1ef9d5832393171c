h = (x @ z) * w
loss = (h * h).mean()
