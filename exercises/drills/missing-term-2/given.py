x = param(8, 6)
g = data(8, 6)
