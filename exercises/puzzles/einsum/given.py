u = param(3, 4, scale=1.0)
W = param(4, 5)
v = param(3, 5, scale=1.0)
dy = data(3, scale=0.02)
