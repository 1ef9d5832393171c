x = param(5, 8)
g = data(5, 8)
