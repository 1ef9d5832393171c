x = param(6, 8)
g = data(6, 8)
