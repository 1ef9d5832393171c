u = param(6, 5)
v = param(6, 5)
g = data(6, 5)
