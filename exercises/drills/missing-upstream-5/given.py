x = param(7, 6)
g = data(7, 6)
