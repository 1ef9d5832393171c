u = param(8, 6)
v = param(8, 6)
g = data(8, 6)
