s = param(3, 4, scale=1.0)
V = param(4, 5, scale=1.0)
dY = data(3, 5, scale=0.02)
