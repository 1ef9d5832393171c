x = param(7, 8)
g = data(7, 8)
