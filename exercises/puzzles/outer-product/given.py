u = param(4, scale=1.0)
v = param(5, scale=1.0)
dY = data(4, 5, scale=0.02)
