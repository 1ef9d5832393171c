u = param(4, 8)
v = param(4, 8)
g = data(4, 8)
